import type { Value } from "../../../graph/index.js";
import { build } from "../../../graph/index.js";
import type { NodeProto } from "../../../graph/proto/onnx_pb.js";
import { splitHeads } from "../../layers.js";
import type { FileGraph } from "../fileGraph.js";
import { scoreBias } from "./multiHead.js";
import type { FusedOperator } from "./operator.js";
import { floatOf, inputsOf, intOf, named, pastReason } from "./operator.js";

/**
 * The first 2·R numbers of each head turned by the angles of its position, the rest as they are.
 *
 * Shapes   x [B,H,T,D] · positions [B,T] · tables [P,R]
 * Source   arXiv:2104.09864 §3.4.2
 */
function turned(x: Value, positions: Value, cosine: Value, sine: Value, interleaved: boolean): Value {
  const [batch, heads, length, width] = x.shape;
  const half = cosine.shape[1] as number;
  const [cos, sin] = [cosine, sine].map((table) => build.unsqueeze(build.gather(table, positions, 0), [1])); // [B,1,T,R]
  const head = build.slice(x, 3, 0, 2 * half);
  const pairs = build.reshape(head, [batch, heads, length, half, 2]);
  const part = (i: number): Value =>
    interleaved ? build.squeeze(build.slice(pairs, 4, i, i + 1), [4]) : build.slice(x, 3, i * half, (i + 1) * half);
  const [a, b] = [part(0), part(1)];
  const first = build.sub(build.mul(a, cos), build.mul(b, sin));
  const second = build.add(build.mul(a, sin), build.mul(b, cos));
  const joined = interleaved
    ? build.reshape(build.concat([build.unsqueeze(first, [4]), build.unsqueeze(second, [4])], 4), head.shape)
    : build.concat([first, second], 3);
  const rest = (width as number) - 2 * half;
  return rest === 0 ? joined : build.concat([joined, build.slice(x, 3, 2 * half, width as number)], 3);
}

/** Queries, keys and values, in one tensor or three. */
function projections(
  node: NodeProto,
  graph: FileGraph,
  heads: number,
  kvHeads: number,
  headDim: number,
): readonly Value[] {
  const counts = [heads, kvHeads, kvHeads];
  const isPacked = inputsOf(node)[1] === undefined;
  return counts.map((count, place) => {
    const name = node.input[isPacked ? 0 : place];
    const { shape } = graph.seen(name);
    const read = graph.read(name, [graph.batch(shape[0]), graph.length(shape[1]), shape[2]]);
    const start = counts.slice(0, place).reduce((sum, before) => sum + before * headDim, 0);
    return splitHeads(isPacked ? build.slice(read, 2, start, start + count * headDim) : read, count);
  });
}

/**
 * `GroupQueryAttention` of onnxruntime: causal, with heads that share keys and values, rotary positions inside where asked.
 *
 * Source   onnxruntime ContribOperators.md, com.microsoft.GroupQueryAttention
 */
export const groupQuery: FusedOperator = {
  needs: (node) => [...named(node, 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11), node.output[0]],
  ends: ({ input }) => [input[0], input[1] === undefined || input[1] === "" ? input[0] : input[1]],
  measure: (node, seen) => {
    const inputs = inputsOf(node);
    const past = pastReason(node, seen, [3, 4]);
    if (past !== undefined) return past;
    if (intOf(node, "smooth_softmax", 0) > 0 || inputs[11] !== undefined)
      return "it has a sink (smooth_softmax, head_sink)";
    if (inputs[9] !== undefined) return "it reads position_ids";
    if (intOf(node, "k_quant_type", 0) > 0 || inputs.length > 12) return "its keys and values are quantised";
    const [heads, kvHeads] = [intOf(node, "num_heads", 0), intOf(node, "kv_num_heads", 0)];
    const [, length, width] = seen.get(node.input[0])!.shape;
    const headDim = width / (inputs[1] === undefined ? heads + 2 * kvHeads : heads);
    if (!Number.isInteger(headDim)) return `${heads} heads do not divide a width of ${width}`;
    return { heads, kvHeads, headDim, queries: length, keys: length };
  },
  terms: (node, graph, { heads, kvHeads, headDim, queries, keys }) => {
    const inputs = inputsOf(node);
    const [q, k, v] = projections(node, graph, heads, kvHeads, headDim);
    const table = (place: number): Value => graph.read(inputs[place]!, graph.seen(inputs[place]!).shape);
    const isRotary = intOf(node, "do_rotary", 0) === 1;
    const turn = (x: Value): Value =>
      isRotary
        ? turned(x, graph.positions(queries), table(7), table(8), intOf(node, "rotary_interleaved", 0) === 1)
        : x;
    const { shape } = graph.seen(inputs[5]!);
    const last = build.reshape(graph.raw(inputs[5]!), [graph.batch(shape[0]), 1]); // [B,1]
    const isReal = build.less(graph.positions(keys), build.add(build.cast(last, "int32"), 1)); // [B,K]
    const ahead = graph.ahead(queries, keys);
    const isBefore = build.less(ahead, 1);
    const window = intOf(node, "local_window_size", -1);
    const near = window > 0 ? build.and(isBefore, build.greater(ahead, -window)) : isBefore;
    const softcap = floatOf(node, "softcap", 0);
    return {
      ...{ q: turn(q), k: turn(k), v },
      scale: floatOf(node, "scale", 0) || 1 / Math.sqrt(headDim),
      softcap: softcap > 0 ? softcap : undefined,
      bias: scoreBias(graph, inputs[10]),
      visible: build.and(near, build.unsqueeze(isReal, [1, 2])),
    };
  },
};
