import { replace } from "../interventions/index.js";
import type { ComputeOptions, Model, ModelInput } from "../models/index.js";
import { checkOptions, knownNames, OptionError, Tensor, wholeNumber } from "../tensor/index.js";
import { EdgeScores } from "./edgeScores.js";
import { edgesOf, writeEdges } from "./parts/edges.js";
import { headWeights, type HeadWeights } from "./parts/headWeights.js";
import type { PromptMetric } from "./parts/metric.js";
import { runPairs, type PairRun } from "./parts/pairs.js";
import { meanOf } from "./parts/statistics.js";
import { sweepSteps } from "./parts/sweepMemo.js";

export interface EdgeAttributionOptions {
  readonly metric: PromptMetric;
  /** `"EAP"` (default): the derivative at the clean run; `"EAP-IG"`: its mean on the way from the corrupted to the clean embedding. */
  readonly method?: "EAP" | "EAP-IG";
  /** Of `"EAP-IG"`: default 30. */
  readonly steps?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/** Points of the way that run at once. */
const rowsPerRun = 5;

/**
 * Edge attribution patching: for every edge from what writes into the residual stream to what reads it, the change of a metric
 * to first order if the reader alone got the writer's corrupted output. Three passes per pair, or 2 + `steps`.
 *
 *   EAP      (a_corrupted − a_clean) · ∂m/∂x, x the stream as that reader reads it, before its norm
 *   EAP-IG   the mean of ∂m/∂x over runs from embeddings e_corrupted + k/steps · (e_clean − e_corrupted), k = 0 … steps − 1
 *
 * Writers are the embedding, heads and MLPs; readers are q, k and v of each head, MLPs, and the logits. Interrupted, it keeps
 * what is done: the same call goes on from there.
 *
 * Range    of opposite sign to `attributionPatching`, which patches clean into corrupted
 * Throws   OptionError on an unknown method; ShapeError unless each pair has one length; UnsupportedError where a model changes
 *          the sum of its heads by a norm, or has no one norm that q, k and v read
 * Source   EAP: arXiv:2310.10348 §3; EAP-IG: arXiv:2403.17806 §3 and its code, whose sum starts at the corrupted end
 */
export async function edgeAttribution(
  model: Model,
  clean: string | readonly string[] | ModelInput,
  corrupted: string | readonly string[] | ModelInput,
  options: EdgeAttributionOptions,
): Promise<EdgeScores> {
  checkOptions("edgeAttribution", options, ["metric", "method", "steps", "onProgress", "signal"]);
  const { metric, method = "EAP", steps = 30, onProgress, signal } = options;
  const methods = ["EAP", "EAP-IG"];
  if (!methods.includes(method)) {
    throw new OptionError(`edgeAttribution: unknown method "${String(method)}"${knownNames(method, methods)}`);
  }
  wholeNumber("edgeAttribution", "steps", steps);
  const settings: ComputeOptions = signal ? { signal } : {};
  const layers = Array.from({ length: model.layers }, (_, l) => l);
  const embed = "blocks.0.resid_pre";
  const written = [embed, ...layers.flatMap((l) => [`blocks.${l}.attn.z`, `blocks.${l}.mlp_out`])];
  const kept = { clean: written, corrupted: written };
  const pairs = await runPairs("edgeAttribution", model, [clean, corrupted], metric, () => kept, settings);
  const weights: HeadWeights[] = [];
  for (const layer of layers) weights.push(await headWeights(model, layer, "raw", settings));

  const edges = edgesOf(model);
  const points = method === "EAP" ? [1] : Array.from({ length: steps }, (_, k) => k / steps);
  const blocks = Array.from({ length: Math.ceil(points.length / rowsPerRun) }, (_, i) =>
    points.slice(i * rowsPerRun, (i + 1) * rowsPerRun),
  );
  const identity = ["edgeAttribution", metric.name, method, steps, pairs.map(({ key }) => key)];
  const sweep = sweepSteps(model, JSON.stringify(identity));
  const totals = pairs.map(() => new Float64Array(edges.length));
  let done = 0;
  for (const [index, pair] of pairs.entries()) {
    for (const [at, block] of blocks.entries()) {
      const found = await sweep.step(`${index} ${at}`, async () => run(index, pair, block));
      found.forEach((score, edge) => (totals[index][edge] += score / points.length));
      onProgress?.(++done, pairs.length * blocks.length);
    }
  }
  sweep.finish();
  const steppings = method === "EAP" ? "" : `, ${steps} steps`;
  return new EdgeScores({
    sharedKeys: Math.min(model.kvHeads, model.valueHeads) < model.heads,
    caption: `${method} of ${metric.name} on ${model.name}, ${pairs.length} pairs${steppings}`,
    rows: edges.map((edge, i) => ({ ...edge, score: meanOf(totals.map((total) => total[i])) })),
  });

  /** Scores of all edges, summed over some points of the way. */
  async function run(index: number, pair: PairRun, shares: readonly number[]): Promise<readonly number[]> {
    const changes = new Map(written.map((address) => [address, change(pair, address)]));
    const found = await model.compute(
      pair.prompt.times(shares.length),
      (site) => writeEdges(site, metric.write(site, new Array<number>(shares.length).fill(index)), changes, weights),
      { ...settings, interventions: [replace({ at: embed, with: between(pair, embed, shares) })] },
    );
    return edges.map(({ group, row, column }) => found[group].item(row, column));
  }
}

/** What the corrupted run has at an address minus what the clean one has. */
function change({ clean, stream }: PairRun, address: string): Tensor<"float32"> {
  const [a, b] = [clean[address], stream[address]];
  return new Tensor(
    "float32",
    a.shape,
    Float32Array.from(b.data as Float32Array, (x, i) => x - Number(a.data[i])),
  );
}

/** Points between the corrupted (0) and the clean (1) activation, one row each. */
function between({ clean, stream }: PairRun, address: string, shares: readonly number[]): Tensor<"float32"> {
  const [a, b] = [clean[address], stream[address]];
  const data = new Float32Array(a.size * shares.length);
  shares.forEach((share, row) => {
    for (let i = 0; i < a.size; i++) {
      const [x, y] = [Number(a.data[i]), Number(b.data[i])];
      data[row * a.size + i] = share === 1 ? x : y + share * (x - y);
    }
  });
  return new Tensor("float32", [shares.length, ...a.shape.slice(1)], data);
}
