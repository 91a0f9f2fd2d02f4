import type { Value } from "../../../graph/index.js";
import { build } from "../../../graph/index.js";
import { splitHeads } from "../../layers.js";
import { limits, maskReason } from "./multiHead.js";
import type { FusedOperator } from "./operator.js";
import { floatOf, inputsOf, intOf, lengthsOf, named, pastReason } from "./operator.js";

/** Widths of queries, keys and values within the projection. */
function widthsOf(node: Parameters<FusedOperator["needs"]>[0], whole: number): readonly number[] {
  const held = node.attribute.find(({ name }) => name === "qkv_hidden_sizes")?.ints.map(Number);
  return held && held.length === 3 ? held : [whole / 3, whole / 3, whole / 3];
}

/**
 * `Attention` of onnxruntime: it projects its input to queries, keys and values by one weight.
 *
 * Source   onnxruntime ContribOperators.md, com.microsoft.Attention
 */
export const packed: FusedOperator = {
  needs: (node) => [...named(node, 0, 1, 2, 3, 4, 5), node.output[0]],
  ends: ({ input }) => [input[0], input[0]],
  measure: (node, seen) => {
    const [x, weight, , mask] = inputsOf(node).map((name) => seen.get(name ?? ""));
    if (!x || !weight) return "its weight is left out";
    if (intOf(node, "do_rotary", 0) !== 0) return "it turns queries and keys by itself (do_rotary)";
    const past = pastReason(node, seen, [4]);
    if (past !== undefined) return past;
    const heads = intOf(node, "num_heads", 0);
    const [, , width] = widthsOf(node, weight.shape[1]);
    return maskReason(mask?.shape, x.shape[0]) ?? { heads, kvHeads: heads, headDim: width / heads, ...lengthsOf(x, x) };
  },
  terms: (node, graph, sizes) => {
    const { heads } = sizes;
    const inputs = inputsOf(node);
    const [x, weight] = node.input;
    const { shape } = graph.seen(x);
    const read = graph.read(x, [graph.batch(shape[0]), graph.length(shape[1]), shape[2]]);
    const product = build.matMul(read, graph.read(weight, graph.seen(weight).shape));
    const held = inputs[2];
    const all = held === undefined ? product : build.add(product, graph.read(held, graph.seen(held).shape));
    const widths = widthsOf(node, all.shape[2] as number);
    const part = (place: number): Value => {
      const start = widths.slice(0, place).reduce((sum, width) => sum + width, 0);
      return splitHeads(build.slice(all, 2, start, start + widths[place]), heads);
    };
    const scale = floatOf(node, "scale", 0) || 1 / Math.sqrt(widths[0] / heads);
    return { q: part(0), k: part(1), v: part(2), scale, ...limits(node, graph, sizes, inputs[3], inputs[5]) };
  },
};
