import type { Value } from "../../../graph/index.js";
import { build } from "../../../graph/index.js";
import type { NodeProto } from "../../../graph/proto/onnx_pb.js";
import { formatShape } from "../../../tensor/index.js";
import { splitHeads } from "../../layers.js";
import type { FileGraph } from "../fileGraph.js";
import type { BlockSizes } from "../block.js";
import type { FusedOperator, FusedTerms } from "./operator.js";
import { floatOf, inputsOf, intOf, lengthsOf, named, pastReason } from "./operator.js";

/**
 * What onnxruntime adds for keys that a mask hides: `mask_filter_value`, −10000 unless the node says otherwise. A mask tells
 * lengths [B], keys [B,K] or pairs [B,Q,K].
 */
function maskBias(node: NodeProto, graph: FileGraph, keys: number, name: string | undefined): Value | undefined {
  if (name === undefined) return undefined;
  const { shape } = graph.seen(name);
  const held = graph.raw(name, [graph.batch(shape[0]), ...shape.slice(1).map((size) => graph.length(size))]);
  const mask = build.cast(held, "float32");
  const hides = floatOf(node, "mask_filter_value", -10000);
  const hidden = (kept: Value): Value => build.mul(build.sub(1, kept), hides);
  if (shape.length === 3) return hidden(build.unsqueeze(mask, [1]));
  if (shape.length === 2) return hidden(build.unsqueeze(mask, [1, 2]));
  const inside = build.less(build.cast(graph.positions(keys), "float32"), build.unsqueeze(mask, [1])); // [B,K]
  return hidden(build.unsqueeze(build.cast(inside, "float32"), [1, 2]));
}

/** Why a mask is not read; undefined where it is. */
export function maskReason(shape: readonly number[] | undefined, batch: number): string | undefined {
  if (!shape || (shape.length === 1 && shape[0] === batch) || shape.length === 2 || shape.length === 3)
    return undefined;
  return `its mask is ${formatShape(shape)}`;
}

/** A bias of the scores, [1 or B, 1 or H, Q, K]. */
export function scoreBias(graph: FileGraph, name: string | undefined): Value | undefined {
  if (name === undefined) return undefined;
  const [batch, heads, queries, keys] = graph.seen(name).shape;
  return graph.read(name, [graph.batch(batch), heads, graph.length(queries), graph.length(keys)]);
}

/** The sum of what is there. */
export function sumOf(...parts: readonly (Value | undefined)[]): Value | undefined {
  return parts.reduce((sum, part) => (sum && part ? build.add(sum, part) : (sum ?? part)), undefined);
}

/** Mask and direction in the way of onnxruntime's own attentions. */
export function limits(
  node: NodeProto,
  graph: FileGraph,
  { queries, keys }: BlockSizes,
  mask: string | undefined,
  bias: string | undefined,
): Pick<FusedTerms, "bias" | "visible"> {
  return {
    bias: sumOf(maskBias(node, graph, keys, mask), scoreBias(graph, bias)),
    visible: intOf(node, "unidirectional", 0) === 1 ? build.less(graph.ahead(queries, keys), 1) : undefined,
  };
}

/**
 * `MultiHeadAttention` of onnxruntime: queries, keys and values projected already, their biases perhaps not added yet.
 *
 * Source   onnxruntime ContribOperators.md, com.microsoft.MultiHeadAttention
 */
export const multiHead: FusedOperator = {
  needs: (node) => [...named(node, 0, 1, 2, 3, 4, 5, 6, 7), node.output[0]],
  ends: ({ input }) => [input[0], input[1] === undefined || input[1] === "" ? input[0] : input[1]],
  measure: (node, seen) => {
    const [q, k, v, , mask] = inputsOf(node).map((name) => seen.get(name ?? ""));
    if (!q || !k || !v || q.shape.length !== 3) return "queries, keys and values are packed in one tensor";
    const past = pastReason(node, seen, [6, 7]);
    if (past !== undefined) return past;
    const heads = intOf(node, "num_heads", 0);
    const headDim = v.shape.length === 4 ? v.shape[3] : v.shape[2] / heads;
    if (!Number.isInteger(headDim)) return `${heads} heads do not divide a width of ${v.shape[2]}`;
    return maskReason(mask?.shape, q.shape[0]) ?? { heads, kvHeads: heads, headDim, ...lengthsOf(q, k) };
  },
  terms: (node, graph, sizes) => {
    const { heads } = sizes;
    const inputs = inputsOf(node);
    const widths = [0, 1, 2].map((place) => {
      const { shape } = graph.seen(node.input[place]);
      return shape.length === 4 ? shape[1] * shape[3] : shape[2];
    });
    const apart = (place: number): Value => {
      const name = node.input[place];
      const { shape } = graph.seen(name);
      if (shape.length === 4) {
        return graph.read(name, [graph.batch(shape[0]), shape[1], graph.length(shape[2]), shape[3]]);
      }
      const projected = graph.read(name, [graph.batch(shape[0]), graph.length(shape[1]), shape[2]]);
      const start = widths.slice(0, place).reduce((sum, width) => sum + width, 0);
      const held = inputs[3];
      if (held === undefined) return splitHeads(projected, heads);
      const bias = build.slice(graph.read(held, graph.seen(held).shape), 0, start, start + widths[place]);
      return splitHeads(build.add(projected, bias), heads);
    };
    const scale = floatOf(node, "scale", 0) || 1 / Math.sqrt(widths[0] / heads);
    return { q: apart(0), k: apart(1), v: apart(2), scale, ...limits(node, graph, sizes, inputs[4], inputs[5]) };
  },
};
