import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./environment.js";

/** Hugging Face's attention patterns of one sentence of the recorded reference (tests/oracles/minilm). */
export interface ReferencePattern {
  readonly layers: number;
  readonly heads: number;
  readonly tokens: number;
  readonly at: (layer: number, head: number, query: number, key: number) => number;
}

type Header = Readonly<Record<string, { readonly shape: number[]; readonly data_offsets: [number, number] }>>;

/** Reads the record with a few lines of its own: the code under test must not read its own truth. */
export function referencePatterns(): readonly ReferencePattern[] {
  const bytes = readFileSync(join(root, "tests/oracles/minilm/reference.safetensors"));
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString("utf8")) as Header;
  return [0, 1, 2].map((sentence) => {
    const { shape, data_offsets } = header[`${sentence}.patterns`];
    const [layers, heads, tokens] = shape as [number, number, number];
    const start = 8 + headerLength + data_offsets[0];
    const at = (layer: number, head: number, query: number, key: number): number =>
      bytes.readFloatLE(start + 4 * (((layer * heads + head) * tokens + query) * tokens + key));
    return { layers, heads, tokens, at };
  });
}

/** The head whose queries attend most to one key, averaged over the queries of a sentence, then over sentences. */
export function strongestHead(keyOf: (tokens: number) => number): { layer: number; head: number; mass: number } {
  const patterns = referencePatterns();
  let best = { layer: -1, head: -1, mass: -1 };
  for (let layer = 0; layer < patterns[0].layers; layer++) {
    for (let head = 0; head < patterns[0].heads; head++) {
      let mass = 0;
      for (const { tokens, at } of patterns) {
        for (let query = 0; query < tokens; query++) {
          mass += at(layer, head, query, keyOf(tokens)) / tokens / patterns.length;
        }
      }
      if (mass > best.mass) best = { layer, head, mass };
    }
  }
  return best;
}
