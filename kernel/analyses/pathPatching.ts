import { build } from "../graph/index.js";
import { replace } from "../interventions/index.js";
import type { ComputeOptions, GraphEdit, Model, ModelInput } from "../models/index.js";
import { checkOptions, OptionError, Tensor } from "../tensor/index.js";
import { layersOf } from "./parts/layers.js";
import { numbersOf, type PromptMetric } from "./parts/metric.js";
import { perRow } from "./parts/modes.js";
import { partHeads } from "./parts/partHeads.js";
import { runPairs, type PairRun } from "./parts/pairs.js";
import { sharesOf } from "./parts/shares.js";
import { sweepSteps } from "./parts/sweepMemo.js";
import { tiled } from "./parts/tiled.js";
import { PatchingMap } from "./patchingMap.js";

/** An input of a head: where a path ends. */
export interface PathReceiver {
  readonly layer: number;
  /** For `"k"` and `"v"` the head of keys and values, which several queries may share. */
  readonly head: number;
  readonly input: "q" | "k" | "v";
}

export interface PathPatchingOptions {
  readonly metric: PromptMetric;
  /** Where the paths end: the final residual stream, or inputs of heads, all of them together. */
  readonly receivers: "logits" | readonly PathReceiver[];
  /** Layers whose heads send: default all. */
  readonly layers?: readonly number[];
  /** Whether MLPs between sender and receiver react (`"free"`, default), or keep their clean output. */
  readonly mlps?: "free" | "frozen";
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/**
 * What each head does to a metric through chosen receivers alone: the clean run with what the receivers would read if that
 * head had seen the corrupted prompt, and every other head kept what it puts out.
 *
 *   1  corrupted run: outputs of the senders · 2  clean run: outputs of all heads
 *   3  clean run, one sender corrupted, all other heads' outputs held clean: the receivers' inputs are kept
 *   4  clean run with these inputs; effect = its metric − the clean one
 *   share = effect / (metric corrupted − metric clean)
 *
 * All senders of a layer ride in one batch that starts from the clean stream before it; interrupted, it keeps what is done: the
 * same call goes on from there.
 *
 * Range    0 where no receiver comes after the sender; MLPs are not held unless `mlps` says so, nor are norms
 * Throws   OptionError on receivers or layers that are not there; ShapeError unless each pair has one length
 * Source   arXiv:2211.00593 §3.1 and appendix B; q, k, v are those before norms of their own and before positions
 * Example  await pathPatching(model, task.prompts, task.corrupted, { metric, receivers: [{ layer: 9, head: 9, input: "q" }] })
 */
export async function pathPatching(
  model: Model,
  clean: string | readonly string[] | ModelInput,
  corrupted: string | readonly string[] | ModelInput,
  options: PathPatchingOptions,
): Promise<PatchingMap> {
  checkOptions("pathPatching", options, ["metric", "receivers", "layers", "mlps", "onProgress", "signal"]);
  const { metric, receivers, mlps = "free", onProgress, signal } = options;
  const all = Array.from({ length: model.layers }, (_, l) => l);
  const layers = layersOf("pathPatching", model, options.layers);
  checkPlaces(model, receivers, mlps);
  const settings: ComputeOptions = signal ? { signal } : {};
  const outputs = all.map((layer) => `blocks.${layer}.attn.z`);
  const kept = {
    clean: [...outputs, ...all.flatMap((layer) => [`blocks.${layer}.resid_pre`, `blocks.${layer}.mlp_out`])],
    corrupted: outputs,
  };
  const pairs = await runPairs("pathPatching", model, [clean, corrupted], metric, () => kept, settings);

  const keys = pairs.map(({ key }) => key);
  const steps = sweepSteps(model, JSON.stringify(["pathPatching", metric.name, receivers, mlps, keys]));
  const effects: (readonly number[])[][] = pairs.map(() => []);
  let done = 0;
  for (const layer of layers) {
    for (const [index, pair] of pairs.entries()) {
      effects[index].push(await steps.step(`${layer} ${index}`, async () => patch(layer, index, pair)));
      onProgress?.(++done, layers.length * pairs.length);
    }
  }
  steps.finish();

  const ends = pairs.map(({ metric: { clean: from, corrupted: to } }) => ({ from, to }));
  const { shares, undefinedPairs } = sharesOf(ends, effects);
  const places =
    receivers === "logits" ? receivers : receivers.map((r) => `${r.layer}.${r.head} ${r.input}`).join(", ");
  return new PatchingMap({
    title: model.name,
    what: `Path patching of ${model.name} into ${places}, MLPs ${mlps}: share of the change of ${metric.name} made`,
    metric: metric.name,
    column: "head",
    layers,
    recovery: shares,
    effects,
    clean: pairs.map((pair) => pair.metric.clean),
    corrupted: pairs.map((pair) => pair.metric.corrupted),
    undefinedPairs,
    provenance: await model.provenance(),
  });

  /** What every head of a layer does to the metric of one pair. */
  async function patch(layer: number, index: number, pair: PairRun): Promise<readonly number[]> {
    const count = model.heads + 1; // row 0 is left alone
    const reached = receivers === "logits" ? [] : receivers.filter((receiver) => receiver.layer > layer);
    if (receivers !== "logits" && reached.length === 0) return new Array<number>(model.heads).fill(0);
    const prompts = pair.prompt.times(count);
    const start = (from: number): GraphEdit => at(from, "resid_pre", pair, count);
    const later = all.filter((each) => each > layer);
    const held = [
      ...later.map((each) => at(each, "attn.z", pair, count)),
      ...(mlps === "frozen" ? all.filter((each) => each >= layer).map((each) => at(each, "mlp_out", pair, count)) : []),
    ];
    const sent = perRow(
      replace({ at: outputs[layer], with: tiled(pair.stream[outputs[layer]], count) }),
      rowMask(model.heads),
    );
    const third: ComputeOptions = { ...settings, interventions: [start(layer), sent, ...held] };
    const numbers = (value: Tensor): readonly number[] => {
      const [untouched, ...patched] = numbersOf("pathPatching", metric, value, count);
      return patched.map((each) => each - untouched);
    };
    const rows = new Array<number>(count).fill(index);
    if (receivers === "logits") {
      const { value } = await model.compute(prompts, (site) => ({ value: metric.write(site, rows) }), third);
      return numbers(value);
    }
    const addresses = [...new Set(reached.map((receiver) => `blocks.${receiver.layer}.attn.${receiver.input}`))];
    const seen = await model.compute(
      prompts,
      (site) => Object.fromEntries(addresses.map((address) => [address, site.at(address)])),
      third,
    );
    const first = Math.min(...reached.map((receiver) => receiver.layer));
    const put = addresses.map((address) => {
      const own = reached.filter((each) => `blocks.${each.layer}.attn.${each.input}` === address);
      return inHeads(address, seen[address], own.map(({ head }) => head)); // prettier-ignore
    });
    const { value } = await model.compute(prompts, (site) => ({ value: metric.write(site, rows) }), {
      ...settings,
      interventions: [start(first), ...put],
    });
    return numbers(value);
  }
}

/** One part of a layer as it is in the clean run, in every row. */
function at(layer: number, part: string, { clean }: PairRun, count: number): GraphEdit {
  const address = `blocks.${layer}.${part}`;
  return replace({ at: address, with: tiled(clean[address], count) });
}

/** Row h + 1 acts on head h, row 0 on none, [H+1,H]. */
function rowMask(heads: number): Tensor<"bool"> {
  const mask = new Uint8Array((heads + 1) * heads);
  for (let head = 0; head < heads; head++) mask[(head + 1) * heads + head] = 1;
  return new Tensor("bool", [heads + 1, heads], mask);
}

/** Puts recorded inputs into some heads of all rows. */
function inHeads(address: string, recorded: Tensor, heads: readonly number[]): GraphEdit {
  const [, count] = recorded.shape;
  const mask = new Tensor(
    "bool",
    [1, count, 1, 1],
    Uint8Array.from({ length: count }, (_, head) => (heads.includes(head) ? 1 : 0)),
  );
  return {
    name: "pathPatching",
    at: [address],
    edit: (x, { feed }) => build.where(feed("heads", mask), feed("recorded", recorded, x.shape), x),
  };
}

function checkPlaces(model: Model, receivers: PathPatchingOptions["receivers"], mlps: string): void {
  const isBelow = (x: number, count: number): boolean => Number.isInteger(x) && x >= 0 && x < count;
  if (mlps !== "free" && mlps !== "frozen") {
    throw new OptionError(`pathPatching: mlps must be "free" or "frozen", got "${mlps}"`);
  }
  if (receivers === "logits") return;
  if (!Array.isArray(receivers) || receivers.length === 0) {
    throw new OptionError(`pathPatching: receivers must be "logits" or a list of inputs of heads, got ${JSON.stringify(receivers)}`); // prettier-ignore
  }
  for (const { layer, head, input } of receivers as readonly PathReceiver[]) {
    const heads = partHeads(model, input);
    if (!isBelow(layer, model.layers) || !isBelow(head, heads) || !["q", "k", "v"].includes(input)) {
      throw new OptionError(
        `pathPatching: no receiver ${layer}.${head} ${input}; expected layers 0 … ${model.layers - 1}, ` +
          `heads 0 … ${heads - 1}, inputs q, k, v`,
      );
    }
  }
}
