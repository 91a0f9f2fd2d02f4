import type { Blueprint } from "./family.js";
import { stacksOf } from "./stacks.js";

/** The sizes of a model, a line for each kind of attention where there are several. */
export function describeSizes(blueprint: Blueprint, device: string): readonly string[] {
  const { width, positions, decoder } = blueprint;
  const stacks = stacksOf(blueprint);
  const heads = stacks.map(({ name, layers, heads: count, kvHeads = count, valueHeads = kvHeads, headDim }) => {
    const counts =
      kvHeads === valueHeads ? `${kvHeads} of keys and values` : `${kvHeads} of keys, ${valueHeads} of values`;
    const shared = kvHeads === count && valueHeads === count ? "" : ` (${counts})`;
    return `${name === "" ? "" : `${name}: `}${layers} layers × ${count} heads${shared} of ${headDim}`;
  });
  const counted = (limit: number): string =>
    Number.isFinite(limit) ? `${limit} positions` : "any number of positions";
  const places = decoder ? `${counted(positions)} read, ${counted(decoder.positions)} written` : counted(positions);
  const rest = `width ${width}, ${places}, on ${device}`;
  return heads.length === 1 ? [`${heads[0]}, ${rest}`] : [...heads, rest];
}
