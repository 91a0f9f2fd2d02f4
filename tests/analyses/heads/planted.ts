import { interventions, Tensor } from "../../../kernel/lib/index.js";
import type { GraphEdit } from "../../../kernel/lib/index.js";

/** Attention of one prompt as one likes: in one layer, a weight for each head, query and key. */
export function planted(
  layer: number,
  heads: number,
  length: number,
  of: (head: number, query: number, key: number) => number,
): GraphEdit {
  const data = Float32Array.from({ length: heads * length * length }, (_, i) =>
    of(Math.floor(i / length / length), Math.floor(i / length) % length, i % length),
  );
  return interventions.replace({
    at: `blocks.${layer}.attn.pattern`,
    with: new Tensor("float32", [1, heads, length, length], data),
  });
}

/** The same in every layer of a model. */
export function plantedEverywhere(
  layers: number,
  ...rest: Parameters<typeof planted> extends [number, ...infer R] ? R : never
): GraphEdit[] {
  return Array.from({ length: layers }, (_, layer) => planted(layer, ...rest));
}

/** Even attention over the visible keys. */
export const even = (_head: number, query: number, key: number): number => (key <= query ? 1 / (query + 1) : 0);

export async function shown(value: object): Promise<Record<string, string>> {
  const show = (value as Record<symbol, () => Record<string, string> | Promise<Record<string, string>>>)[Symbol.for("Jupyter.display")]; // prettier-ignore
  return show.call(value);
}
