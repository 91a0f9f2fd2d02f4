import type { JsonObject } from "./wire.js";

/** Session, line (the execution count), and the source or [source, output]. */
export type HistoryRow = readonly [number, number, string | readonly [string, string | null]];

/** What was executed since the kernel started. */
export interface History {
  add(count: number, source: string): void;
  setOutput(count: number, text: string): void;
  /** All sources, or those before an execution count. */
  sources(before?: number): readonly string[];
  /** The rows that a `history_request` asks for; an unknown access type gives none. */
  find(request: JsonObject): readonly HistoryRow[];
}

interface Entry {
  readonly count: number;
  readonly source: string;
  readonly output: string | null;
}

const session = 1;

/** A history of one session, which is 1; session 0 of a request means the current one. */
export function createHistory(): History {
  const entries: Entry[] = [];

  const select = (request: JsonObject): readonly Entry[] => {
    const { hist_access_type: access, n, session: asked = 0, start = 0, stop } = request;
    const last = (list: readonly Entry[]): readonly Entry[] =>
      typeof n === "number" && n >= 0 ? list.slice(-n || list.length) : list;
    if (access === "tail") return last(entries);
    if (access === "range") {
      if (asked !== 0 && asked !== session) return [];
      return entries.filter(({ count }) => count >= Number(start) && (typeof stop !== "number" || count < stop));
    }
    if (access !== "search") return [];
    const pattern = typeof request["pattern"] === "string" ? request["pattern"] : "*";
    const found = entries.filter(({ source }) => globMatches(pattern, source));
    return last(
      request["unique"] === true ? [...new Map(found.map((entry) => [entry.source, entry])).values()] : found,
    );
  };

  return {
    add: (count, source) => void entries.push({ count, source, output: null }),
    setOutput(count, text) {
      const at = entries.findLastIndex((entry) => entry.count === count);
      const entry = entries[at];
      if (entry) entries[at] = { ...entry, output: text };
    },
    sources: (before = Infinity) => entries.filter(({ count }) => count < before).map(({ source }) => source),
    find: (request) =>
      select(request).map(({ count, source, output }) => [
        session,
        count,
        request["output"] === true ? [source, output] : source,
      ]),
  };
}

/** Whether a shell pattern (`*`, `?`) matches the whole text; linear memory, time ≤ pattern × text. */
function globMatches(glob: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let position = 0;
  while (position < text.length) {
    if (glob[at] === "*") {
      star = at++;
      resume = position;
    } else if (glob[at] === "?" || glob[at] === text[position]) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++resume;
    } else return false;
  }
  while (glob[at] === "*") at++;
  return at === glob.length;
}
