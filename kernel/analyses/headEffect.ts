import { interventionOf, isOffered } from "./parts/headAblation.js";
import { predictionChange } from "./parts/predictionChange.js";
import type { CancelSignal } from "../graph/index.js";
import type { AttentionStack, Run } from "../models/index.js";
import { stackNamed } from "../models/index.js";
import { checkOptions, OptionError } from "../tensor/index.js";
import { ablationModes, type HeadAblation, type HeadEffect } from "../views/index.js";

export interface HeadEffectOptions {
  /** `"encoder"`, `"decoder"`, `"cross"` … where a model has several kinds of attention. */
  readonly stack?: string;
  readonly layer: number;
  readonly head: number;
  /** `"zero"` output, `"mean"` output over the batch, `"uniform"` attention, all on the first token (`"bos"`), `"zeroPattern"`. */
  readonly mode?: HeadAblation;
  /** Which prompt of the run is compared: 0. */
  readonly prompt?: number;
  /** Called after the model has run, and after each layer that was compared; awaited. */
  readonly onProgress?: (done: number, total: number) => void | Promise<void>;
  readonly signal?: CancelSignal;
}

/**
 * What taking one head out of a run changes: loss, the last prediction, and the attention of the heads behind it.
 *
 *   moved[l,h] = mean over q of ½ Σ_k |A′[l,h,q,k] − A[l,h,q,k]|
 *
 * Range    the loss is the mean over the prompt's next tokens, as `promptLoss`; moved in 0…1, 0 before the head
 * Throws   OptionError on a head or mode that the model does not have, or a run without its patterns
 * Example  await headEffect(run, { layer: 5, head: 1, mode: "mean" })
 */
export async function headEffect(run: Run, options: HeadEffectOptions): Promise<HeadEffect> {
  checkOptions("headEffect", options, ["stack", "layer", "head", "mode", "prompt", "onProgress", "signal"]);
  const { layer, head, mode = "zero", prompt = 0, onProgress, signal } = options;
  const stack = stackNamed("headEffect", run.stacks, options.stack);
  if (!isOffered(run, mode)) {
    const known = ablationModes.filter((each) => isOffered(run, each)).join(", ");
    throw new OptionError(`headEffect: expected mode: one of ${known}, got "${String(mode)}"`);
  }
  run.headPattern({ stack: stack.name, layer, head, prompt });
  const steps = stack.layers - layer + 1;
  const after = await run.again({
    interventions: [interventionOf(stack, layer, head, mode)],
    ...(signal ? { signal } : {}),
  });
  await onProgress?.(1, steps);
  const moved = new Array<number>(stack.layers * stack.heads).fill(0);
  for (let l = layer; l < stack.layers; l++) {
    for (let h = 0; h < stack.heads; h++) moved[l * stack.heads + h] = movedShare(run, after, stack, l, h, prompt);
    await onProgress?.(l - layer + 2, steps);
  }
  return { layer, head, mode, sample: prompt, ...predictionChange(run, after, prompt), moved };
}

function movedShare(
  before: Run,
  after: Run,
  { name }: AttentionStack,
  layer: number,
  head: number,
  prompt: number,
): number {
  const [was, is] = [before, after].map((run) => run.headPattern({ stack: name, layer, head, prompt }));
  let sum = 0;
  for (let at = 0; at < was.data.length; at++) sum += Math.abs(is.data[at] - was.data[at]);
  return Number((sum / 2 / was.shape[0]).toPrecision(4));
}
