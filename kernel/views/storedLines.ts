import { halfValue } from "../tensor/half.js";
import { decodeBase64 } from "./base64.js";
import { wordAt } from "./half.js";
import type { StoredLines } from "./tokenStripPayload.js";

/** A row or a column of a pattern as it is stored. */
export interface Line {
  /** 0 where a weight was not kept. */
  readonly weights: Float32Array;
  /** Sum of what is kept. */
  readonly drawn: number;
}

/** Random access to stored lines. */
export interface LineReader {
  readonly queries: number;
  readonly keys: number;
  /** Whether every weight was kept. */
  readonly isWhole: boolean;
  /** Where a query looks, [K]. */
  readonly row: (query: number) => Line;
  /** Who looks at a key, [Q]. */
  readonly column: (key: number) => Line;
}

/** Opens stored lines; a key beyond the text is passed over. */
export function readLines(stored: StoredLines, keyCount: number): LineReader {
  const { kept, mass } = stored;
  const queries = mass.length;
  // As they are stored: unpacked they would take twice the room for as long as the figure is open.
  const halves = decodeBase64(stored.weights);
  const weightAt = (at: number): number => halfValue(wordAt(halves, at));
  const bytes = stored.keys === undefined ? undefined : decodeBase64(stored.keys);
  const keyOf = (at: number): number => (bytes ? wordAt(bytes, at) : at % kept);
  const lineOf = (length: number, entries: Iterable<readonly [place: number, at: number]>): Line => {
    const line = new Float32Array(length);
    let drawn = 0;
    for (const [place, at] of entries) {
      const weight = weightAt(at);
      if (place >= length || !(weight >= 0)) continue;
      line[place] = weight;
      drawn += weight;
    }
    return { weights: line, drawn };
  };
  function* ofQuery(query: number): Generator<readonly [number, number]> {
    for (let at = query * kept; at < (query + 1) * kept; at++) yield [keyOf(at), at];
  }
  function* ofKey(key: number): Generator<readonly [number, number]> {
    for (let at = 0; at < queries * kept; at++) if (keyOf(at) === key) yield [Math.floor(at / kept), at];
  }
  return {
    queries,
    keys: keyCount,
    isWhole: bytes === undefined,
    row: (query) => lineOf(keyCount, ofQuery(query)),
    column: (key) => lineOf(queries, ofKey(key)),
  };
}
