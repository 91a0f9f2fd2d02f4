import type { Value } from "../../graph/index.js";
import { build, gradients, substitute } from "../../graph/index.js";
import { outputWeight, type ComputeOptions, type Model, type Site } from "../../models/index.js";
import { Tensor, UnsupportedError } from "../../tensor/index.js";
import { dependsOn } from "./dependsOn.js";
import { partHeads } from "./partHeads.js";

/** The four matrices of every head of a layer; keys and values are repeated to the query heads that share them. */
export interface HeadWeights {
  /** [H,M,D] each. */
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  /** [H,D,M] */
  readonly o: Tensor;
}

/** `"raw"`: as stored; `"folded"`: the norm before the layer is taken into W_Q, W_K, W_V, and what layer norms cannot see is taken out. */
export type WeightForm = "raw" | "folded";

export const weightForms: readonly WeightForm[] = ["raw", "folded"];

/**
 * Reads the weights of one layer off the model's graph: what q, k and v are for each unit vector in the place of what they read.
 *
 *   W_Q[m] = q(e_m) − q(0), and W_O likewise
 *   folded: rows times the norm's weight; with a layer norm, W_Q, W_K and W_V less their mean over M, W_O less its mean over M
 *
 * Range    queries and keys as they are before any norm of their own and before they are turned by their position
 * Throws   UnsupportedError where a layer's heads cannot be told apart, or q, k or v is no linear map of what the layer reads
 * Source   folded: what TransformerLens calls fold_ln, center_weights and center_writing_weights
 */
export async function headWeights(
  model: Model,
  layer: number,
  form: WeightForm,
  settings: ComputeOptions,
): Promise<HeadWeights> {
  const { heads, width, headDim } = model;
  const units = new Float32Array((width + 1) * width);
  for (let m = 0; m < width; m++) units[m * width + m] = 1;
  let isCentred = false;
  const found = await model.compute(
    { inputIds: [[0]] },
    (site) => {
      const read = readBy(site, layer);
      const vectors = site.feed("unit vectors", new Tensor("float32", [1, width + 1, width], units), [
        "batch",
        "query",
        width,
      ]);
      const of = (part: "q" | "k" | "v"): Value => {
        const value = site.clean(`blocks.${layer}.attn.${part}`);
        const seen = substitute(value, new Map([[read, vectors]]));
        const [slope] = seen === value ? [] : gradients(build.reduceSum(seen), [vectors]);
        if (!slope || dependsOn([seen], [read]) || dependsOn([slope], [vectors])) {
          throw new UnsupportedError(`${model.architecture}: layer ${layer} has no weights of ${part} of its own`);
        }
        return seen;
      };
      const norm = form === "folded" ? normWeight(read) : undefined;
      isCentred = norm?.centred ?? false;
      const own = (weight: Value): Value => build.apply("Identity", [weight]);
      return { q: of("q"), k: of("k"), v: of("v"), ...(norm && { norm: own(norm.weight) }) };
    },
    settings,
  );
  const scale = found["norm"]?.numbers();
  const input = (part: "q" | "k" | "v"): Tensor<"float32"> => {
    const all = found[part]; // [1,G,M+1,D]
    const groups = partHeads(model, part);
    const out = new Float32Array(heads * width * headDim);
    for (let h = 0; h < heads; h++) {
      const rows = all.slice(0, Math.floor((h * groups) / heads)).numbers();
      const start = h * width * headDim;
      for (let m = 0; m < width; m++) {
        for (let d = 0; d < headDim; d++) {
          const own = rows[m * headDim + d] - rows[width * headDim + d];
          out[start + m * headDim + d] = own * (scale ? scale[m] : 1);
        }
      }
      if (isCentred) centreRows(out, start, width, headDim);
    }
    return new Tensor("float32", [heads, width, headDim], out);
  };
  const { o } = await model.compute({ inputIds: [[0]] }, (site) => ({ o: outputOf(site, layer) }), settings);
  const written = withoutLast(o.numbers(), heads * headDim, width);
  if (isCentred) centreColumns(written, width);
  return { q: input("q"), k: input("k"), v: input("v"), o: new Tensor("float32", [heads, headDim, width], written) };
}

/**
 * What attention writes for a one in each channel of each head, and for none: factors on its way into the stream are in it. Where a norm
 * stands on that way, the projection itself, before the norm. Shapes: [H·D + 1,M] or [H·D,M]
 */
function outputOf(site: Site, layer: number): Value {
  const { heads, headDim } = site.model;
  const z = site.clean(`blocks.${layer}.attn.z`);
  const channels = heads * headDim;
  const units = new Float32Array(heads * (channels + 1) * headDim); // [1,H,H·D + 1,D]
  for (let c = 0; c < channels; c++) {
    const head = Math.floor(c / headDim);
    units[(head * (channels + 1) + c) * headDim + (c % headDim)] = 1;
  }
  const fed = site.feed("unit channels", new Tensor("float32", [1, heads, channels + 1, headDim], units), [
    "batch",
    heads,
    "query",
    headDim,
  ]);
  const written = substitute(site.clean(`blocks.${layer}.attn_out`), new Map([[z, fed]]));
  const [slope] = gradients(build.reduceSum(written), [fed]);
  if (dependsOn([slope], [fed])) return build.apply("Identity", [outputWeight(site, layer)]);
  return build.squeeze(build.slice(written, 0, 0, 1), [0]);
}

/** The rows of [rows + 1,M] less the last one, or [rows,M] as it is. */
function withoutLast(all: Float64Array, rows: number, width: number): Float32Array {
  const last = all.length > rows * width ? all.subarray(rows * width) : new Float64Array(width);
  return Float32Array.from(all.subarray(0, rows * width), (x, i) => x - last[i % width]);
}

/** What the projections of a layer read: the norm before it where there is one, else the residual stream. */
function readBy(site: Site, layer: number): Value {
  const normed = `blocks.${layer}.ln1.normalized`;
  return site.clean(site.addresses.includes(normed) ? normed : `blocks.${layer}.resid_pre`);
}

/** The weight of a norm; undefined where the value is no norm with a weight. */
function normWeight(value: Value): { readonly weight: Value; readonly centred: boolean } | undefined {
  if (value.op === "LayerNormalization") return { weight: value.inputs[1], centred: true };
  if (value.op === "Mul" && value.inputs[0].op === "Div") return { weight: value.inputs[1], centred: false };
  return undefined;
}

/** Takes the mean over M away, for each column of [M,D]. */
function centreRows(all: Float32Array, start: number, width: number, headDim: number): void {
  for (let d = 0; d < headDim; d++) {
    let sum = 0;
    for (let m = 0; m < width; m++) sum += all[start + m * headDim + d];
    for (let m = 0; m < width; m++) all[start + m * headDim + d] -= sum / width;
  }
}

/** Takes the mean over M away, for each row of [.,M]. */
function centreColumns(all: Float32Array, width: number): void {
  for (let start = 0; start < all.length; start += width) {
    let sum = 0;
    for (let m = 0; m < width; m++) sum += all[start + m];
    for (let m = 0; m < width; m++) all[start + m] -= sum / width;
  }
}
