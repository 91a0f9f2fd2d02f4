import type { Value } from "../../graph/index.js";
import { build, gradients, substitute } from "../../graph/index.js";
import type { Model, Site } from "../../models/index.js";
import { Tensor, UnsupportedError } from "../../tensor/index.js";
import { dependsOn } from "./dependsOn.js";
import type { HeadWeights } from "./headWeights.js";
import { normGradient, normParts } from "./normGradient.js";
import { partHeads } from "./partHeads.js";

/** An edge, and where `writeEdges` puts its score. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly group: string;
  readonly row: number;
  readonly column: number;
}

/** Writers in the order of the stream: the embedding, then heads and MLP of each layer. */
function writersOf({ layers, heads }: Pick<Model, "layers" | "heads">): readonly string[] {
  const ofLayer = (l: number): string[] => [...Array.from({ length: heads }, (_, h) => `${l}.${h}`), `mlp ${l}`];
  return ["embed", ...Array.from({ length: layers }, (_, l) => ofLayer(l)).flat()];
}

/** How many writers a reader of a layer sees: those before the layer, and for an MLP that reads the middle the heads of its own. */
function seenBy(layer: number, heads: number, own: boolean): number {
  return 1 + layer * (heads + 1) + (own ? heads : 0);
}

const isParallel = ({ addresses }: { readonly addresses: readonly string[] }): boolean =>
  !addresses.includes("blocks.0.resid_mid");

/** Every edge of a model. */
export function edgesOf(model: Model): readonly Edge[] {
  const { layers, heads } = model;
  const writers = writersOf(model);
  const into = (group: string, readers: readonly string[], seen: number): Edge[] =>
    writers.slice(0, seen).flatMap((from, row) => readers.map((to, column) => ({ from, to, group, row, column })));
  const ofLayer = (l: number): Edge[] => [
    ...(["q", "k", "v"] as const).flatMap((part) =>
      into(
        `${l} ${part}`,
        Array.from({ length: partHeads(model, part) }, (_, h) => `${l}.${h} ${part}`),
        seenBy(l, heads, false),
      ),
    ),
    ...into(`${l} mlp`, [`mlp ${l}`], seenBy(l, heads, !isParallel(model))),
  ];
  return [
    ...Array.from({ length: layers }, (_, l) => ofLayer(l)).flat(),
    ...into("logits", ["logits"], writers.length),
  ];
}

/**
 * Scores of all edges, by group [writer, reader]: the change of each writer times the derivative at each reader, summed over
 * positions and over the rows of the batch.
 *
 * Shapes   metric [B] · changes [1,…] by address
 * Throws   UnsupportedError where a model is not a sum that norms read
 */
export function writeEdges(
  site: Site,
  metric: Value,
  changes: ReadonlyMap<string, Tensor>,
  weights: readonly HeadWeights[],
): Readonly<Record<string, Value>> {
  const { model, at } = site;
  const { layers, heads, width, architecture } = model;
  const numbers = Array.from({ length: layers }, (_, l) => l);
  const parts = ["q", "k", "v"] as const;
  const ends = [
    ...numbers.flatMap((l) => [...parts.map((part) => at(`blocks.${l}.attn.${part}`)), at(`blocks.${l}.mlp_out`)]),
    at(`blocks.${layers - 1}.resid_post`),
  ];
  const derivatives = gradients(build.reduceSum(metric), ends);
  const changed = stackedChanges(site, changes, weights);
  const score = (seen: number, slopes: Value): Value =>
    build.einsum("stm,bntm->sn", build.slice(changed, 0, 0, seen), slopes);
  const outputs: Record<string, Value> = {};
  for (const l of numbers) {
    const stream = at(`blocks.${l}.resid_pre`);
    const address = `blocks.${l}.ln1.normalized`;
    const norm = site.addresses.includes(address) ? normParts(at(address), stream) : undefined;
    if (!norm) {
      throw new UnsupportedError(`edgeAttribution: ${architecture} has no norm before layer ${l} that q, k and v read`);
    }
    parts.forEach((part, i) => {
      const weight = ofGroups(weights[l][part], partHeads(model, part)); // [G,D,M]
      const read = site.feed(`W ${l} ${part}`, weight);
      const slopes = normGradient(norm, build.matMul(derivatives[4 * l + i], build.unsqueeze(read, [0])));
      outputs[`${l} ${part}`] = score(seenBy(l, heads, false), slopes);
    });
    const parallel = isParallel(site);
    const middle = parallel ? stream : at(`blocks.${l}.resid_mid`);
    const own = build.apply("Identity", [middle]);
    const computed = substitute(at(`blocks.${l}.mlp_out`), new Map([[middle, own]]));
    const [slope] = gradients(build.reduceSum(build.mul(computed, derivatives[4 * l + 3])), [own]);
    outputs[`${l} mlp`] = score(seenBy(l, heads, !parallel), build.unsqueeze(slope, [1]));
    checkSum(site, l);
  }
  const last = build.unsqueeze(derivatives.at(-1)!, [1]);
  outputs["logits"] = score(1 + layers * (heads + 1), last);
  if (derivatives[0].shape.at(-1) !== model.headDim || width !== last.shape.at(-1)) {
    throw new UnsupportedError(`edgeAttribution: ${architecture} has heads of several sizes`);
  }
  return outputs;
}

/** What every writer changes of the stream, [S,Q,M]. */
function stackedChanges(site: Site, changes: ReadonlyMap<string, Tensor>, weights: readonly HeadWeights[]): Value {
  const { layers, heads, headDim, width } = site.model;
  const fed = (address: string, shape: readonly (number | string)[]): Value =>
    site.feed(`change ${address}`, changes.get(address)!, shape);
  const all = [fed("blocks.0.resid_pre", [1, "query", width])];
  for (let l = 0; l < layers; l++) {
    const z = build.squeeze(fed(`blocks.${l}.attn.z`, [1, heads, "query", headDim]), [0]); // [H,Q,D]
    all.push(build.matMul(z, site.feed(`W ${l} o`, weights[l].o)), fed(`blocks.${l}.mlp_out`, [1, "query", width]));
  }
  return build.concat(all, 0);
}

/** One weight per head of keys and values, as rows that a derivative is multiplied with: [H,M,D] → [G,D,M]. */
function ofGroups(weight: Tensor, groups: number): Tensor {
  const [heads] = weight.shape;
  const own = weight.slice([0, heads, heads / groups]).transpose([0, 2, 1]);
  return new Tensor("float32", own.shape, own.data as Float32Array);
}

/** Throws UnsupportedError unless the heads of a layer enter the stream as a sum. */
function checkSum({ at, model }: Site, layer: number): void {
  const [z, written] = [at(`blocks.${layer}.attn.z`), at(`blocks.${layer}.attn_out`)];
  const apart = build.apply("Identity", [z]);
  const [slope] = gradients(build.reduceSum(substitute(written, new Map([[z, apart]]))), [apart]);
  if (dependsOn([slope], [apart])) {
    throw new UnsupportedError(
      `edgeAttribution: ${model.architecture} changes the sum of its heads by a norm of its own`,
    );
  }
}
