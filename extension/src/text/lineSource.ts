/** Which side of a pattern a token stands on: `"query"`: where it looks; `"key"`: who looks at it. */
export type Along = "query" | "key";

/** Where one token looks, or who looks at it. */
export interface ShownLine {
  /** One per token on the other side; 0 where a weight was not kept. */
  readonly weights: Float32Array;
  /** Sum of the weights shown, and of all there are where that is known. */
  readonly drawn: number;
  readonly mass: number | undefined;
  /** How a weight is written. */
  readonly format: (weight: number) => string;
  /** What else is to be said: that weights are rounded, or the largest of several. */
  readonly note: string | undefined;
}

/** The attention between the words of a text, or of two. */
export interface LineSource {
  readonly queries: readonly string[];
  /** The same list where a text looks at itself. */
  readonly keys: readonly string[];
  readonly causal: boolean;
  /** The weight at the end of the colours. */
  readonly top: number;
  /** The line as well as it is known now; asks for a better one where there is somebody to ask. */
  readonly line: (along: Along, at: number) => ShownLine;
}

/** Whether a causal mask hides a key from a query: positions are counted from the end of both. */
export function isHidden(source: LineSource, query: number, key: number): boolean {
  return source.causal && key > query + source.keys.length - source.queries.length;
}
