import type { SymbolicShape } from "../../graph/index.js";
import { build, productOf } from "../../graph/index.js";
import type { NodeProto } from "../../graph/proto/onnx_pb.js";
import { formatShape } from "../../tensor/index.js";
import type { BlockSizes, FoundBlock, NotFound } from "./block.js";
import type { FileGraph, Seen } from "./fileGraph.js";
import { mixError, rowSumError } from "./proof.js";
import type { FileView } from "./view.js";

/** Tensors of one attention that a file writes out as operators. */
interface Wiring {
  readonly scores: string;
  /** Guards against NaN passed, before it is quantised where it is. */
  readonly pattern: string;
  /** As it enters the product with the values. */
  readonly entering: string;
  /** Before heads that share it were repeated. */
  readonly v: string;
  /** As it is mixed. */
  readonly mixed: string;
  readonly z: string;
}

/** Operators between softmax and product that keep the pattern what it is. */
const guards: readonly string[] = ["Cast", "Identity", "Dropout", "Where", "IsNaN", "Not", "Expand", "Reshape"];

/** A tensor in eight bits for a moment: rows sum to 1 before, the product reads what comes after. */
const quantising: readonly string[] = ["QuantizeLinear", "DequantizeLinear"];

/** Operators between the product of queries and keys and the softmax. */
const scoring: readonly string[] = [
  "Add", "Cast", "Clip", "DequantizeLinear", "Div", "Dropout", "Expand", "Identity", "Max", "Min", "Mul", "QuantizeLinear", "Reshape", "Sub", "Tanh", "Where",
]; // prettier-ignore

/** Products of two activations, in the form of the standard and of onnxruntime. */
const products: readonly string[] = ["MatMul", "FusedMatMul", "TransposeMatMul"];

/** How many tensors are looked at on either side of a softmax. */
const reach = 40;

/** What a product must be off by to be another: roundings of half precision stay below it. */
const tolerance = 5e-3;

/** The product that mixes values by a pattern, and the pattern's names before it is quantised and as it enters. */
function mixOf(
  view: FileView,
  softmax: NodeProto,
): { readonly mix: NodeProto; readonly pattern: string; readonly entering: string } | undefined {
  const open = [{ pattern: softmax.output[0], entering: softmax.output[0] }];
  for (let step = 0; step < reach && open.length > 0; step++) {
    const { pattern, entering } = open.shift()!;
    const readers = view.readers(entering);
    const mix = readers.find(({ opType, input }) => products.includes(opType) && input[0] === entering);
    if (mix) return { mix, pattern, entering };
    for (const { opType, output } of readers) {
      if (guards.includes(opType))
        open.push({ pattern: pattern === entering ? output[0] : pattern, entering: output[0] });
      if (quantising.includes(opType)) open.push({ pattern, entering: output[0] });
    }
  }
  return undefined;
}

/** The nearest product before the softmax: queries times keys. */
function scoreProductOf(view: FileView, scores: string): NodeProto | undefined {
  const open = [scores];
  for (let step = 0; step < reach && open.length > 0; step++) {
    const node = view.producer(open.shift());
    if (!node) continue;
    if (products.includes(node.opType) && node.input.every((name) => !view.isHeld(name))) return node;
    if (scoring.includes(node.opType)) open.push(...node.input.filter((name) => name !== "" && !view.isHeld(name)));
  }
  return undefined;
}

/** Values before they were repeated for the heads that share them: Unsqueeze, Expand, Reshape. */
function beforeRepeat(view: FileView, v: string): string {
  const reshape = view.producer(v);
  const expand = reshape?.opType === "Reshape" ? view.producer(reshape.input[0]) : undefined;
  const repeats = expand?.opType === "Expand" || expand?.opType === "Tile";
  const unsqueeze = repeats ? view.producer(expand.input[0]) : undefined;
  return unsqueeze?.opType === "Unsqueeze" ? unsqueeze.input[0] : v;
}

function measure({ pattern, entering, v, z, mixed }: Wiring, seen: Seen, batch: number): BlockSizes | string {
  const [p, entered, values, repeated, out] = [pattern, entering, v, mixed, z].map((name) => seen.get(name)!);
  if (p.shape.length !== repeated.shape.length || p.shape.length < 3 || p.shape.length > 4) {
    return `its pattern is ${formatShape(p.shape)} and its values are ${formatShape(repeated.shape)}`;
  }
  const sum = rowSumError(p);
  if (!(sum < tolerance)) return `its rows sum to 1 only up to ${sum.toPrecision(2)}`;
  const off = mixError(entered, repeated, out);
  if (!(off < tolerance)) return `the product behind it is not pattern times values (off by ${off.toPrecision(2)})`;
  // Older exporters fold the heads into the batch.
  const heads = p.shape.length === 4 ? p.shape[1] : p.shape[0] / batch;
  const kvHeads = values.shape.length === 4 ? values.shape[1] : values.shape[0] / batch;
  if (!Number.isInteger(heads) || !Number.isInteger(heads / kvHeads)) {
    return `${p.shape[0]} rows of heads do not divide among ${batch} prompts and ${kvHeads} heads of values`;
  }
  const [queries, keys] = p.shape.slice(-2);
  return { heads, kvHeads, headDim: out.shape.at(-1)!, queries, keys };
}

function openExplicit(
  wiring: Wiring,
  graph: FileGraph,
  { heads, kvHeads, headDim, queries: asking, keys: asked }: BlockSizes,
  tap: Parameters<FoundBlock["open"]>[2],
): void {
  const shape = graph.seen(wiring.pattern).shape;
  const folded = shape.length === 3;
  const batch = folded ? graph.batch(shape[0] / heads) : graph.batch(shape[0]);
  const [queries, keys] = [graph.length(asking), graph.length(asked)];
  const parts: readonly (readonly [keyof Wiring, SymbolicShape])[] = [
    ["v", [batch, kvHeads, keys, headDim]],
    ["scores", [batch, heads, queries, keys]],
    ["pattern", [batch, heads, queries, keys]],
    ["z", [batch, heads, queries, headDim]],
  ];
  for (const [part, apart] of parts) {
    const together = [productOf(apart.slice(0, 2)), ...apart.slice(2)];
    const read = graph.read(wiring[part], folded ? together : apart);
    const tapped = tap(part, folded ? build.reshape(read, apart) : read);
    graph.replace(wiring[part], folded ? build.reshape(tapped, together) : tapped);
  }
}

/**
 * Attentions written out as MatMul – scale, mask – Softmax – MatMul, as exporters write them. Only the wiring is read
 * here; whether a match is an attention shows when the file runs.
 */
export function findExplicit(view: FileView): { readonly blocks: FoundBlock[]; readonly not: NotFound[] } {
  const blocks: FoundBlock[] = [];
  const not: NotFound[] = [];
  for (const softmax of view.nodes.filter(({ opType }) => opType === "Softmax")) {
    const node = softmax.name || softmax.output[0];
    const found = mixOf(view, softmax);
    const product = scoreProductOf(view, softmax.input[0]);
    if (!found || !product) {
      const reason = found ? "no product of queries and keys leads to it" : "nothing mixes values by it";
      not.push({ node: `Softmax ${node}`, reason });
      continue;
    }
    const { mix, pattern, entering } = found;
    const scores = softmax.input[0];
    const wiring = {
      scores,
      pattern,
      entering,
      v: beforeRepeat(view, mix.input[1]),
      mixed: mix.input[1],
      z: mix.output[0],
    };
    blocks.push({
      node: `Softmax ${node}`,
      form: "explicit",
      place: view.nodes.indexOf(mix),
      needs: Object.values(wiring),
      pattern,
      query: product.input[0],
      key: product.input[1],
      measure: (seen, batch) => measure(wiring, seen, batch),
      open: (graph, sizes, tap) => openExplicit(wiring, graph, sizes, tap),
    });
  }
  return { blocks, not };
}
