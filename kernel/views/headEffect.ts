import { checksOf, type Check } from "./check.js";

const check: Check = checksOf("head grid");

/** Ways to take a head out, in the order in which they are offered. */
export const ablationModes = ["zero", "mean", "uniform", "bos", "zeroPattern"] as const;

/** One of `ablationModes`: output zero, mean output of the batch, even attention, all on the first token, no attention. */
export type HeadAblation = (typeof ablationModes)[number];

/** A prediction whose chance changed. */
export interface MovedToken {
  readonly token: string;
  /** Logit before and after. */
  readonly logit: readonly [number, number];
  /** Probability before and after. */
  readonly chance: readonly [number, number];
}

/** What taking one head out of a run changed, for one sample. Plain JSON. */
export interface HeadEffect {
  readonly layer: number;
  readonly head: number;
  readonly mode: HeadAblation;
  readonly sample: number;
  /** Mean −ln p of the next tokens before and after, nats; absent where the model predicts none. */
  readonly loss?: readonly [number, number];
  /** KL(before ‖ after) of the last prediction, nats, and the predictions that changed most. */
  readonly prediction?: {
    readonly after: string;
    readonly divergenceNats: number;
    readonly moved: readonly MovedToken[];
  };
  /** ‖after − before‖ / ‖before‖ of the output at the real tokens, where the model predicts nothing. */
  readonly outputChange?: number;
  /** How far each head's attention moved: ½ Σ |A′ − A| over the keys, mean over queries, 0…1; [L,H] of the head's stack. */
  readonly moved: readonly number[];
}

/** Upper limits; a reader refuses more. */
export const headEffectCaps: { readonly effects: number; readonly tokens: number; readonly tokenLength: number } = {
  effects: 64,
  tokens: 16,
  tokenLength: 128,
};

/** What must agree with the grid that effects belong to. */
interface GridSizes {
  readonly layers: number;
  readonly heads: number;
  readonly samples: number;
}

/** Checks the effects of a head grid; throws PayloadError with a reason a reader can act on. */
export function readHeadEffects(value: unknown, sizes: GridSizes): readonly HeadEffect[] {
  const effects = check.list(value, "effects", 0, headEffectCaps.effects);
  effects.forEach((effect, at) => checkEffect(effect, `effects[${at}]`, sizes));
  return effects as readonly HeadEffect[];
}

/** Whether two effects answer the same question. */
export function isSameAblation(
  one: Pick<HeadEffect, "layer" | "head" | "mode" | "sample">,
  other: Pick<HeadEffect, "layer" | "head" | "mode" | "sample">,
): boolean {
  return (["layer", "head", "mode", "sample"] as const).every((part) => one[part] === other[part]);
}

/** One line: what was taken out and what changed. Example: `without 2.8 (mean), sample 1: loss 3.214 → 3.402 nats` */
export function headEffectText({
  layer,
  head,
  mode,
  sample,
  loss,
  prediction,
  outputChange,
  moved,
}: HeadEffect): string {
  const farthest = moved.reduce((best, share, at) => (share > moved[best] ? at : best), 0);
  const heads = moved.length;
  return [
    `without ${layer}.${head} (${mode}), sample ${sample + 1}:`,
    ...(loss ? [`loss ${loss[0].toFixed(4)} → ${loss[1].toFixed(4)} nats`] : []),
    ...(prediction ? [`next token KL ${prediction.divergenceNats.toPrecision(3)} nats`] : []),
    ...(outputChange === undefined ? [] : [`output changed by ${(100 * outputChange).toPrecision(3)} %`]),
    `attention of a head moved by at most ${(100 * (heads > 0 ? moved[farthest] : 0)).toPrecision(3)} %`,
  ].join(" ");
}

function checkEffect(value: unknown, place: string, { layers, heads, samples }: GridSizes): void {
  const effect = check.record(value, place);
  check.count(effect["layer"], `${place}.layer`, 0, layers - 1);
  check.count(effect["head"], `${place}.head`, 0, heads - 1);
  check.count(effect["sample"], `${place}.sample`, 0, samples - 1);
  check.oneOf(effect["mode"], `${place}.mode`, ablationModes);
  check.numbers(effect["moved"], `${place}.moved`, layers * heads);
  if (effect["loss"] !== undefined) check.numbers(effect["loss"], `${place}.loss`, 2);
  if (effect["outputChange"] !== undefined) finite(effect["outputChange"], `${place}.outputChange`);
  if (effect["prediction"] === undefined) return;
  const inside = `${place}.prediction`;
  const prediction = check.record(effect["prediction"], inside);
  const { tokens, tokenLength } = headEffectCaps;
  check.text(prediction["after"], `${inside}.after`, tokenLength);
  finite(prediction["divergenceNats"], `${inside}.divergenceNats`);
  check.list(prediction["moved"], `${inside}.moved`, 0, tokens).forEach((moved, at) => {
    const { token, logit, chance } = check.record(moved, `${inside}.moved[${at}]`);
    check.text(token, `${inside}.moved[${at}].token`, tokenLength);
    check.numbers(logit, `${inside}.moved[${at}].logit`, 2);
    check.numbers(chance, `${inside}.moved[${at}].chance`, 2);
  });
}

function finite(value: unknown, place: string): void {
  check.numbers([value], place, 1);
}
