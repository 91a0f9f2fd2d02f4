import type { Language } from "./language/client.js";
import type { JsonObject } from "./wire.js";

/** A type error of a cell, line and column from 1. */
export interface TypeFinding {
  readonly line: number;
  readonly column: number;
  /** In UTF-16 units, as `column` is. */
  readonly length: number;
  readonly message: string;
  readonly code: number;
}

export interface ErrorsOptions {
  readonly count?: number;
  /** Cells that stand above; those that have run as they are count once. */
  readonly above?: readonly string[];
}

/** Completion, inspection and type checks, answered by the language worker, which starts with the first question. */
export interface LanguageRequests {
  complete(code: string, cursor: unknown): Promise<JsonObject>;
  inspect(code: string, cursor: unknown, detail: 0 | 1): Promise<JsonObject>;
  /** Type errors of a cell that comes after the ones with smaller execution counts, after all by default, and after `above`. */
  errors(code: string, options?: ErrorsOptions): Promise<readonly TypeFinding[]>;
  /** Whether somebody has asked for a completion or an inspection. */
  isInUse(): boolean;
}

/**
 * `sources` gives the cells executed so far, or those before an execution count; their names are known in the answers.
 * Relative imports start in the folder where the kernel was started.
 */
export function createLanguageRequests(sources: (before?: number) => readonly string[]): LanguageRequests {
  const folder = process.cwd();
  let isInUse = false;
  let started: Promise<Language> | undefined;

  const language = (): Promise<Language> =>
    (started ??= import("./language/client.js").then(({ startLanguage }) => startLanguage({ folder })));
  /** Asks with these cells before; no other question comes between the two. */
  const after = async <T>(cells: readonly string[], ask: (language: Language) => Promise<T>): Promise<T> => {
    const running = await language();
    running.update(cells);
    return ask(running);
  };

  return {
    async complete(code, cursor) {
      isInUse = true;
      const found = await after(sources(), (asked) => asked.complete(code, cursorIn(code, cursor)));
      const { matches, cursorStart, cursorEnd, metadata = {} } = found;
      return { status: "ok", matches, cursor_start: cursorStart, cursor_end: cursorEnd, metadata };
    },
    async inspect(code, cursor, detail) {
      isInUse = true;
      const { found, data } = await after(sources(), (asked) => asked.inspect(code, cursorIn(code, cursor), detail));
      return { status: "ok", found, data, metadata: {} };
    },
    async errors(code, { count, above = [] } = {}) {
      const ran = sources(count);
      const known = new Set(ran);
      const cells = [...ran, ...above.filter((source) => !known.has(source))];
      const all = await after(cells, (asked) => asked.diagnostics(code));
      return all.filter(({ severity }) => severity === "error");
    },
    isInUse: () => isInUse,
  };
}

/** The cursor as a count of code points, the end of the code where the client names none. */
function cursorIn(code: string, cursor: unknown): number {
  const length = [...code].length;
  return typeof cursor === "number" && cursor >= 0 ? Math.min(Math.floor(cursor), length) : length;
}
