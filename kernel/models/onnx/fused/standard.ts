import type { Value } from "../../../graph/index.js";
import { build } from "../../../graph/index.js";
import { formatShape } from "../../../tensor/index.js";
import { splitHeads } from "../../layers.js";
import type { FusedOperator } from "./operator.js";
import { floatOf, inputsOf, intOf, lengthsOf, named, pastReason } from "./operator.js";

/**
 * `Attention` of the ONNX standard.
 *
 * Source   ONNX operator set 23, Attention
 * Differs  softcap comes before the mask, as in onnxruntime's kernel
 */
export const standard: FusedOperator = {
  needs: (node) => [...named(node, 0, 1, 2, 3, 4, 5, 6), node.output[0]],
  ends: ({ input }) => [input[0], input[1]],
  measure: (node, seen) => {
    const [q, k, v] = node.input.slice(0, 3).map((name) => seen.get(name)!);
    const past = pastReason(node, seen, [4, 5]);
    if (past !== undefined) return past;
    if (inputsOf(node)[6] !== undefined) return "it reads nonpad_kv_seqlen";
    const heads = q.shape.length === 4 ? q.shape[1] : intOf(node, "q_num_heads", 0);
    const kvHeads = k.shape.length === 4 ? k.shape[1] : intOf(node, "kv_num_heads", 0);
    if (!(heads > 0) || !(kvHeads > 0)) return "it names no number of heads";
    const [queries, keys] = [q, k].map(({ shape }) => shape.at(-2));
    if (intOf(node, "is_causal", 0) === 1 && queries !== keys) return "it is causal over keys that are no queries";
    const mask = seen.get(inputsOf(node)[3] ?? "");
    if (mask && ![1, keys].includes(mask.shape.at(-1)))
      return `its mask is ${formatShape(mask.shape)} for ${keys} keys`;
    return { heads, kvHeads, headDim: v.shape.length === 4 ? v.shape[3] : v.shape[2] / kvHeads, ...lengthsOf(q, k) };
  },
  terms: (node, graph, { heads, kvHeads, queries, keys }) => {
    const apart = (place: number, count: number): Value => {
      const name = node.input[place];
      const { shape } = graph.seen(name);
      const [batch, length] = [graph.batch(shape[0]), graph.length(shape.at(-2)!)];
      if (shape.length === 4) return graph.read(name, [batch, shape[1], length, shape[3]]);
      return splitHeads(graph.read(name, [batch, length, shape[2]]), count);
    };
    const [q, k, v] = [apart(0, heads), apart(1, kvHeads), apart(2, kvHeads)];
    const softcap = floatOf(node, "softcap", 0);
    const mask = inputsOf(node)[3];
    const isBool = mask !== undefined && graph.seen(mask).dtype === "bool";
    const held = mask === undefined ? undefined : maskOf(graph, mask);
    const causal = intOf(node, "is_causal", 0) === 1 ? build.less(graph.ahead(queries, keys), 1) : undefined;
    const shown = isBool ? held : undefined;
    return {
      ...{ q, k, v },
      scale: floatOf(node, "scale", 1 / Math.sqrt(q.shape[3] as number)),
      softcap: softcap > 0 ? softcap : undefined,
      bias: isBool ? undefined : held,
      visible: shown && causal ? build.and(shown, causal) : (shown ?? causal),
    };
  },
};

/** A mask or bias […,Q,K], with as many axes as scores have. */
function maskOf(graph: Parameters<FusedOperator["terms"]>[1], name: string): Value {
  const { shape } = graph.seen(name);
  const words = shape.map((size, axis) =>
    axis >= shape.length - 2 ? graph.length(size) : axis === shape.length - 4 ? graph.batch(size) : size,
  );
  const value = graph.read(name, words);
  return shape.length === 4 ? value : build.reshape(value, [...new Array<number>(4 - shape.length).fill(1), ...words]);
}
