import type { ComputeOptions, Model, ModelInput } from "../models/index.js";
import { headNorms, massPerKey, rowEntropy, sinkLogit, columnEntropy, distance } from "../probes/index.js";
import { checkOptions, OptionError, type Tensor } from "../tensor/index.js";
import { promptsOf } from "./parts/prompts.js";
import { residualState, type ResidualState } from "./parts/residual.js";
import { secondarySinks } from "./parts/secondarySinks.js";
import { SinkReport, type SinkSample } from "./sinkReport.js";

export interface SinkOptions {
  /** Called after each prompt, and about once a second within a long one, whose part counts as a fraction. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

const relativeEntropy = rowEntropy({ relative: true });
const entropyOfRest = rowEntropy({ without: [0] });
const [valueNorms, plainValueNorms] = [headNorms({ of: "v" }), headNorms({ of: "v", ov: false })];
const columns = columnEntropy({ relative: true });
const [distances, distancesOfRest] = [distance(), distance({ without: [0] })];
const receivedOfRest = massPerKey({ without: [0] });
const measured = [
  massPerKey(),
  receivedOfRest,
  ...[relativeEntropy, entropyOfRest, columns, valueNorms, plainValueNorms, sinkLogit(), distances, distancesOfRest],
];

/**
 * What a model does with the tokens that it attends to without reading: primary and secondary sinks, massive activations,
 * value drain, residual peaks, sink heads. Prompts run one by one on raw weights; what token 0 is, the report says.
 *
 *   Sink_k^ε = mean over prompts, layers and heads of 1(α_k > ε), α_k the mean attention that key k receives
 *
 * Range    α_k near the end of a prompt is a mean over one or two queries: such keys are in the data, not in the summary
 * Throws   OptionError on a prompt of fewer than 4 tokens
 * Source   arXiv:2410.10781 (primary sinks), arXiv:2410.13835 (heads, drain, peaks), arXiv:2402.17762 (massive activations),
 *          arXiv:2512.22213 (secondary sinks); thresholds are at each result
 * Differs  no length is fixed (the first source takes 64 tokens): rates of prompts of different lengths do not compare
 * Example  (await sinks(model, prompts)).rate(0, 0.3)
 */
export async function sinks(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: SinkOptions = {},
): Promise<SinkReport> {
  checkOptions("sinks", options, ["onProgress", "signal"]);
  const { onProgress, signal } = options;
  const prompts = promptsOf("sinks", inputs);
  const samples: SinkSample[] = [];
  const addresses = ["blocks.0.resid_pre", ...Array.from({ length: model.layers }, (_, l) => `blocks.${l}.resid_post`)];
  for (const [index, prompt] of prompts.entries()) {
    const input = prompt.times(1);
    const states: ResidualState[] = [];
    const run = await model.run(input, {
      patterns: false,
      outputs: false,
      capture: addresses,
      // One state is read while the run computes the next: together they would be larger than all else.
      onCapture: (address, state) =>
        (states[addresses.indexOf(address)] = residualState(state, realRows(input, state))),
      probes: measured,
      ...(signal ? { signal } : {}),
      ...(onProgress && { onProgress: (share) => onProgress(index + share, prompts.length) }),
    });
    const real = run.realPositions(0);
    if (real.length < 4 || real[0] !== 0) {
      throw new OptionError(
        `sinks: prompt ${index} must have at least 4 tokens and no padding before them, got ${real.length} tokens`,
      );
    }
    const probe = (name: string) => run.probe(name).slice(0);
    samples.push({
      tokens: real.map((t) => run.tokens[0][t]),
      received: probe("massPerKey"),
      receivedWithoutFirst: probe(receivedOfRest.name),
      relativeEntropy: probe(relativeEntropy.name),
      entropyWithoutFirst: probe(entropyOfRest.name),
      columnEntropy: probe(columns.name),
      sinkLogit: probe("sinkLogit"),
      valueNorms: probe(valueNorms.name),
      plainValueNorms: probe(plainValueNorms.name),
      distance: probe(distances.name),
      distanceWithoutFirst: probe(distancesOfRest.name),
      residualNorms: states.map(({ norms }) => Array.from(norms)),
      massive: states.flatMap(({ massive }, state) => massive.map((each) => ({ layer: state - 1, ...each }))),
      secondary: secondarySinks(states),
    });
    onProgress?.(index + 1, prompts.length);
  }
  const { name: title, layers, heads, causal } = model;
  return new SinkReport({ title, layers, heads, causal, samples, provenance: await model.provenance() });
}

/** Positions of the one prompt that are not padding. */
function realRows(input: readonly string[] | ModelInput, { shape }: Tensor): readonly number[] {
  const [mask] = ("attentionMask" in input && input.attentionMask) || [];
  return Array.from({ length: shape[1] }, (_, t) => t).filter((t) => !mask || Number(mask[t]) === 1);
}
