import type { Value } from "../graph/index.js";
import { build, gradients, substitute } from "../graph/index.js";
import type { ComputeOptions, Model, ModelInput, Site } from "../models/index.js";
import { checkOptions, OptionError, type Tensor, UnsupportedError } from "../tensor/index.js";
import { dependsOn } from "./parts/dependsOn.js";
import { frozenNorm } from "./parts/frozenNorm.js";
import type { PromptMetric } from "./parts/metric.js";
import { type ApartMetric, hasHead, onceForKind } from "./parts/metricKinds.js";
import { promptsOf } from "./parts/prompts.js";
import { atRows, headsAtRows, rowsRead } from "./parts/rowsRead.js";
import { meanOf } from "./parts/statistics.js";

export interface AttributionOptions {
  /** Linear in the logits, as `logitDifference` is. */
  readonly metric: PromptMetric;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/** Shares of a metric by what wrote them into the residual stream; means over prompts. They add up to `metric`. */
export interface LogitAttribution {
  readonly metric: number;
  /** By layer and head. */
  readonly heads: readonly (readonly number[])[];
  /** By layer: what the attention adds besides its heads, the bias of its output. */
  readonly attentionBias: readonly number[];
  /** By layer. */
  readonly mlps: readonly number[];
  /** What the first block reads. */
  readonly embed: number;
  /** Of the last norm's bias. */
  readonly normBias: number;
  /** What no part explains: 0 but for rounding where a model's blocks only add to the stream. */
  readonly unexplained: number;
}

/**
 * Direct logit attribution: what each head and MLP adds to a metric by itself, with the scale of the last norm held where it is.
 *
 *   (r_{l,h} / σ_final) · (W_U[:,a] − W_U[:,b]) = z_{l,h} · (W_O^h u), u the metric's direction in the residual stream
 *
 * Range    on raw weights: the norm's weight is in u, its centring too, so that nothing needs folding
 * Throws   OptionError for a model without a prediction head; UnsupportedError where the metric or the heads do not enter linearly
 * Source   arXiv:2211.00593 §3.1; the products are made as z · (W_O u), never as r
 */
export async function logitAttribution(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: AttributionOptions,
): Promise<LogitAttribution> {
  checkOptions("logitAttribution", options, ["metric", "signal"]);
  const { metric, signal } = options;
  const found: Readonly<Record<string, Tensor>>[] = [];
  for (const [index, prompt] of promptsOf("logitAttribution", inputs).entries()) {
    const write = (site: Site): Readonly<Record<string, Value>> => {
      if (hasHead(site))
        return onceForKind("logitAttribution", site, metric, index, (own) => shares(site, metric, own));
      throw new OptionError(`logitAttribution: ${site.model.architecture} has no last norm and prediction head`);
    };
    found.push(await model.compute(prompt.times(1), write, { repeated: true, ...(signal ? { signal } : {}) }));
  }
  const mean = (name: string, ...at: number[]): number => meanOf(found.map((each) => each[name].item(...at)));
  const layers = Array.from({ length: model.layers }, (_, l) => l);
  const heads = layers.map((l) => Array.from({ length: model.heads }, (_, h) => mean("heads", l, h)));
  const sum = (xs: readonly number[]): number => xs.reduce((total, x) => total + x, 0);
  const attentionBias = layers.map((l) => mean("attention", l) - sum(heads[l]));
  const mlps = layers.map((l) => mean("mlps", l));
  const [value, stream, embed] = [mean("metric"), mean("ends", 0), mean("ends", 1)];
  const unexplained = stream - embed - sum(heads.flat()) - sum(attentionBias) - sum(mlps);
  return { metric: value, heads, attentionBias, mlps, embed, normBias: value - stream, unexplained };
}

/** Shares of a metric that is written on a last hidden state of its own. */
function shares(site: Site, metric: PromptMetric, { written, apart }: ApartMetric): Record<string, Value> {
  const { model, at } = site;
  const [stream, final] = [at(`blocks.${model.layers - 1}.resid_post`), at("ln_final")];
  // Most metrics read one position: then the others need not be weighed.
  const read = rowsRead(written, apart);
  const pick = (value: Value): Value => (read ? atRows(value, read.rows) : value); // [1,1,M] or [1,Q,M]
  const x = pick(stream);
  const r = build.apply("Identity", [x]);
  const seen = frozenNorm(substitute(final, new Map([[stream, x]])), x, r);
  const places = read ? read.reads.map((each) => [each, build.squeeze(seen, [1])] as const) : [[apart, seen] as const];
  const value = substitute(written, new Map(places));
  const [direction] = gradients(value, [r]);
  if (dependsOn([direction], [r])) {
    throw new UnsupportedError(
      `logitAttribution: ${metric.name} is not linear in the last hidden state of ${model.architecture}`,
    );
  }
  const along = (written: Value): Value => build.reduceSum(build.mul(written, direction));
  const list = (values: readonly Value[]): Value => build.concat(values.map((each) => build.unsqueeze(each, [0])), 0); // prettier-ignore
  const layers = Array.from({ length: model.layers }, (_, layer) => {
    const [whole, attention] = [at(`blocks.${layer}.attn.z`), at(`blocks.${layer}.attn_out`)];
    const z = read ? headsAtRows(whole, read.rows) : whole; // [1,H,·,D]
    const own = build.apply("Identity", [z]);
    return { z, own, attention, written: substitute(attention, new Map([[whole, own]])) };
  });
  const owns = layers.map(({ own }) => own);
  const byHead = gradients(build.reduceSum(list(layers.map(({ written }) => along(written)))), owns); // W_O u, [1,H,·,D]
  if (dependsOn(byHead, owns)) {
    throw new UnsupportedError(
      `logitAttribution: ${model.architecture} changes the sum of its heads by a norm of its own`,
    );
  }
  return {
    metric: value,
    ends: list([along(x), along(pick(at("blocks.0.resid_pre")))]),
    attention: list(layers.map(({ attention }) => along(pick(attention)))),
    mlps: list(layers.map((_, layer) => along(pick(at(`blocks.${layer}.mlp_out`))))),
    heads: list(layers.map(({ z }, layer) => build.reduceSum(build.mul(z, byHead[layer]), [0, 2, 3]))), // [L,H]
  };
}
