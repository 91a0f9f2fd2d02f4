import type { Run, RunHeading } from "../models/index.js";
import { checkOptions, OptionError, showWith, type MimeBundle } from "../tensor/index.js";
import {
  audioMapsThatFit,
  audioTimeline,
  audioTimelineMime,
  audioTimelineText,
  type AudioMap,
  type AudioTimelinePayload,
} from "../views/index.js";
import { tokenStarts } from "./parts/tokenStarts.js";

export interface AudioAttentionOptions {
  /** Which sound of the run: default 0. */
  readonly prompt?: number;
  /** All heads of one layer, and their mean; default: the mean over heads in every layer, and the mean of these. */
  readonly layer?: number;
  /**
   * These heads, [layer, head], and their mean, by which tokens are aligned with the sound: `alignment_heads` of a model's
   * generation_config.json. Instead of `layer`.
   */
  readonly heads?: readonly (readonly [layer: number, head: number])[];
  /** How much of the sound is shown: default until it ends. */
  readonly untilSeconds?: number;
  readonly title?: string;
  readonly notes?: readonly string[];
}

/** Attention over a sound. Immutable; shows itself. */
export class AudioAttention {
  /** When each token begins, in seconds; undefined unless heads were named to align by. */
  readonly starts: readonly number[] | undefined;
  readonly #payload: () => Promise<AudioTimelinePayload>;

  constructor(payload: () => Promise<AudioTimelinePayload>, starts: readonly number[] | undefined) {
    this.#payload = payload;
    this.starts = starts;
  }

  async bundle(): Promise<MimeBundle> {
    const payload = await this.#payload();
    return { [audioTimelineMime]: payload, "text/plain": audioTimelineText(payload) };
  }
}

showWith(AudioAttention.prototype, (attention) => attention.bundle());

/**
 * Where in a sound each written token listens: the cross-attention of a model that hears, such as Whisper.
 *
 * Shapes   per map [token, frame]; frames after the end of the sound are left out, so rows may sum to less than 1
 * Throws   OptionError for a run without a sound or patterns, a prompt, layer or head that is not there, or an unknown option
 * Source   the alignment: openai/whisper, timing.py
 * Example  audioAttention(await whisper.run({ inputFeatures, decoderInputIds }), { heads: [[2, 2], [3, 0]] })
 */
export function audioAttention(run: Run, options: AudioAttentionOptions = {}): AudioAttention {
  checkOptions("audioAttention", options, ["prompt", "layer", "heads", "untilSeconds", "title", "notes"]);
  const { prompt = 0, layer, heads, untilSeconds, title = "Attention over the sound", notes = [] } = options;
  const heard = run.sound(prompt);
  const { stack, secondsPerFrame } = heard;
  if (layer !== undefined && heads) throw new OptionError("audioAttention: expected either layer or heads, got both");
  for (const [inLayer, head] of heads ?? [[layer ?? 0, 0]]) {
    within("layer", inLayer, stack.layers);
    within("head", head, stack.heads);
  }
  if (heads?.length === 0) throw new OptionError("audioAttention: expected at least one head, got none");
  const frames = framesUntil(untilSeconds, heard);
  const tokens = run.realTokens(prompt, stack.queries);
  const fit = audioMapsThatFit(tokens.length, frames) - 1;
  const pattern = (inLayer: number, head: number): Float32Array => {
    const whole = run.headPattern({ stack: stack.name, layer: inLayer, head, prompt });
    const all = whole.shape[1];
    return Float32Array.from({ length: tokens.length * frames }, (_, at) => whole.data[Math.floor(at / frames) * all + (at % frames)]); // prettier-ignore
  };
  const each = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);
  const made: AudioMap[] = [];
  const more: string[] = [];
  const add = (maps: readonly (() => AudioMap)[], what: string): void => {
    if (maps.length > fit) more.push(`of ${maps.length} ${what}, the last ${fit} are shown, and the mean of all`);
    made.push(...maps.slice(Math.max(0, maps.length - fit)).map((map) => map()));
  };
  const headMap = ([l, h]: readonly [number, number]): AudioMap => ({ name: `L${l}.H${h}`, layer: l, head: h, weights: pattern(l, h) }); // prettier-ignore
  const layerMean = (l: number): Float32Array => meanOf(each(stack.heads).map((h) => pattern(l, h)));
  let starts: readonly number[] | undefined;
  if (heads) {
    const maps = heads.map(headMap);
    starts = tokenStarts(maps.map(({ weights }) => weights), tokens.length, frames).map((frame) => frame * secondsPerFrame); // prettier-ignore
    more.push(`stairs: where each token begins, by dynamic time warping along ${counted(heads.length, "head")}`);
    add(maps.map((map) => () => map), "heads"); // prettier-ignore
    made.push({ name: `mean of ${counted(heads.length, "head")}`, layer: -1, head: -1, weights: meanOf(maps.map(({ weights }) => weights)) }); // prettier-ignore
  } else if (layer !== undefined) {
    add(each(stack.heads).map((head) => () => headMap([layer, head])), "heads"); // prettier-ignore
    made.push({ name: `L${layer} mean`, layer, head: -1, weights: layerMean(layer) });
  } else {
    const means = each(stack.layers).map(layerMean);
    add(means.map((weights, l) => () => ({ name: `L${l} mean`, layer: l, head: -1, weights })), "layers"); // prettier-ignore
    made.push({ name: `mean of ${counted(stack.layers, "layer")}`, layer: -1, head: -1, weights: meanOf(means) });
  }
  if (frames < heard.frames) more.push(`shown until ${Number((frames * secondsPerFrame).toPrecision(4))} s of ${Number((heard.frames * secondsPerFrame).toPrecision(4))} s that the model heard`); // prettier-ignore
  const spectrum = {
    ...{ bins: heard.bins, columns: 2 * frames },
    values: Float32Array.from({ length: heard.bins * 2 * frames }, (_, at) => heard.data[Math.floor(at / (2 * frames)) * heard.slices + (at % (2 * frames))]), // prettier-ignore
  };
  const payload = (of?: RunHeading): AudioTimelinePayload =>
    audioTimeline(tokens, { frames, secondsPerFrame }, made, {
      ...{ title, spectrum, starts, notes: [...notes, ...more] },
      ...(of ? { provenance: of.provenance } : {}),
      live: of?.sharedAs === undefined ? undefined : { run: of.sharedAs, stack: stack.name },
    });
  payload(); // what cannot be drawn is refused here, not when it is shown
  return new AudioAttention(async () => payload(await run.heading()), starts);
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function meanOf(all: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(all[0].length);
  for (const weights of all) weights.forEach((weight, at) => (sum[at] += weight / all.length));
  return Float32Array.from(sum);
}

function framesUntil(
  seconds: number | undefined,
  { frames, soundFrames, secondsPerFrame }: ReturnType<Run["sound"]>,
): number {
  if (seconds === undefined) return soundFrames;
  const span = frames * secondsPerFrame;
  if (!(seconds > 0 && seconds <= span + 1e-9)) {
    throw new OptionError(`audioAttention: untilSeconds must be above 0 and at most ${span}, got ${String(seconds)}`);
  }
  return Math.max(1, Math.min(frames, Math.round(seconds / secondsPerFrame)));
}

function within(name: string, index: number, count: number): void {
  if (Number.isInteger(index) && index >= 0 && index < count) return;
  throw new OptionError(`audioAttention: expected a ${name} in 0 … ${count - 1}, got ${String(index)}`);
}
