import type { Value } from "../../graph/index.js";
import { build, constant } from "../../graph/index.js";
import { Tensor, UnsupportedError } from "../../tensor/index.js";
import type { Blueprint } from "../family.js";
import type { GraphReading, MatrixProduct } from "./graphReading.js";
import type { Step } from "./step.js";

/** A norm with weights of the model. */
interface Norm {
  readonly value: Value;
  /** Name of the scale, what is added to it, and the name of the bias. */
  readonly scale: string;
  readonly plus: 0 | 1;
  readonly bias: string | undefined;
}

/** Products that read a norm, each with the name that its new matrix gets. */
type Reads = readonly { readonly product: MatrixProduct; readonly target: string }[];

/** The norm that a value is: a layer norm, or x / √(mean x² + ε) · w. */
function normOf(graph: GraphReading, value: Value): Norm | undefined {
  if (value.op === "LayerNormalization") {
    const scale = graph.nameOf(value.inputs[1]);
    return scale === undefined ? undefined : { value, scale, plus: 0, bias: graph.nameOf(value.inputs[2]) };
  }
  const [quotient, stored] = value.inputs;
  if (value.op !== "Mul" || quotient.op !== "Div" || quotient.inputs[1].op !== "Sqrt") return undefined;
  const direct = graph.nameOf(stored);
  const scale = direct ?? (stored.op === "Add" ? graph.nameOf(stored.inputs[0]) : undefined);
  return scale === undefined ? undefined : { value, scale, plus: direct === undefined ? 1 : 0, bias: undefined };
}

/** What reads a norm; undefined where anything but products with matrices of their own does. */
function readsOf(graph: GraphReading, { value: norm }: Norm, { unembedding: own }: Blueprint): Reads | undefined {
  const last = graph.unembedding();
  const isLast = ({ value }: MatrixProduct): boolean => last !== undefined && graph.isSame(last.value, value);
  const reads = graph.readersOf(norm).flatMap(({ value, operand }) => {
    const product = operand === 0 ? graph.productOf(value) : undefined;
    if (!product) return [];
    if (graph.readersOf(product.matrix).length === 1) return [{ product, target: product.name }];
    // An unembedding that is the embedding table becomes a matrix of its own.
    return own !== undefined && isLast(product) ? [{ product, target: `${own}.weight` }] : [];
  });
  if (reads.length === 0 || reads.length < graph.readersOf(norm).length) return undefined;
  // An output stays what it is, but for the last hidden state, which is then without the scale.
  return graph.isOutput(norm) && !reads.some(({ product }) => isLast(product)) ? undefined : reads;
}

/** A vector through a matrix: what a product adds to every position where all positions hold it. */
function through({ matrix, inputAxis }: MatrixProduct, vector: Value): Value {
  const row = build.unsqueeze(vector, [0]);
  return build.squeeze(build.matMul(row, inputAxis === 0 ? matrix : build.transpose(matrix, [1, 0])), [0]);
}

/** A weight that is one number everywhere. */
function filled(like: Value, value: number): Value {
  const shape = like.shape as readonly number[];
  const size = shape.reduce((product, dim) => product * dim, 1);
  return constant(new Tensor("float32", shape, new Float32Array(size).fill(value)));
}

/**
 * Scales and biases of norms put into what reads them; the norms are left with scale 1 and bias 0.
 *
 *   W′ = γ ⊙ W,  b′ = b + β · W
 *
 * Range    norms that something else reads stay as they are: those behind attention and MLP, of heads, and before outputs
 * Throws   UnsupportedError unless every norm that attention or MLP read can be folded
 * Source   Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", "Handling layer normalization"
 */
export const foldLayerNorm: Step = (graph, weights, blueprint) => {
  const place = `foldLayerNorm: ${blueprint.family}`;
  const norms = graph.all.flatMap((value) => normOf(graph, value) ?? []);
  const folds = norms.flatMap((norm) => {
    const reads = graph.readersOf(weights.get(norm.scale)!).length === 1 ? readsOf(graph, norm, blueprint) : undefined;
    return reads ? [{ norm, reads }] : [];
  });
  const stream = graph.addressed(/\bresid_\w+$/);
  const read = graph
    .addressed(/\bln\d\.normalized$/)
    .filter(([, value]) => norms.some((norm) => graph.isSame(norm.value, value)))
    // A block may read the stream as it is, where the embeddings come normed.
    .filter(([, value]) => !stream.some(([, other]) => graph.isSame(value, other)));
  if (read.length === 0) {
    throw new UnsupportedError(`${place} has no norm with weights before what attention and MLP read`);
  }
  const left = read.find(([, value]) => !folds.some(({ norm }) => graph.isSame(norm.value, value)));
  if (left) throw new UnsupportedError(`${place}: "${left[0]}" is read by more than products with weights of its own`);

  const changed = new Map(weights);
  for (const { norm, reads } of folds) {
    const [stored, bias] = [weights.get(norm.scale)!, norm.bias === undefined ? undefined : weights.get(norm.bias)!];
    const scale = norm.plus === 1 ? build.add(stored, 1) : stored;
    for (const { product, target } of reads) {
      const { matrix, inputAxis } = product;
      changed.set(target, build.mul(matrix, inputAxis === 0 ? build.unsqueeze(scale, [1]) : scale));
      if (!bias) continue;
      const own = graph.biasOf(product);
      const name = own ?? target.replace(/weight$/, "bias");
      const shift = through(product, bias);
      changed.set(name, own === undefined ? shift : build.add(weights.get(own)!, shift));
    }
    changed.set(norm.scale, filled(stored, 1 - norm.plus));
    if (norm.bias !== undefined) changed.set(norm.bias, filled(bias!, 0));
  }
  return { weights: changed, done: `foldLayerNorm: ${folds.length} of ${norms.length} norms` };
};
