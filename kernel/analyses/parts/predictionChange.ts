import type { Run } from "../../models/index.js";
import type { Tensor } from "../../tensor/index.js";
import { headEffectCaps, type HeadEffect, type MovedToken } from "../../views/index.js";

type Change = Pick<HeadEffect, "loss" | "prediction" | "outputChange">;

/** How many predictions are told. */
const toldTokens = 8;

/** What a run predicts for one prompt, compared with what it predicted; of a model that predicts nothing, its output. */
export function predictionChange(before: Run, after: Run, prompt: number): Change {
  if (!after.addresses.includes("logits")) return outputChange(before, after, prompt);
  const sequence = before.stacks.some(({ queries }) => queries === "decoder") ? "decoder" : "prompt";
  const isPerToken = before.logits.shape.length === 3;
  const last = isPerToken ? (before.realPositions(prompt, sequence).at(-1) ?? 0) : 0;
  const [was, is] = [before, after].map(({ logits }) =>
    Float64Array.from((isPerToken ? logits.slice(prompt, last) : logits.slice(prompt)).numbers()),
  );
  const tokens = sequence === "decoder" ? before.decoderTokens : before.tokens;
  const losses = [before, after].map((run) => promptLossOf(run, prompt));
  return {
    ...(losses.every((loss) => loss !== undefined) ? { loss: losses as [number, number] } : {}),
    prediction: {
      after: isPerToken ? clip(tokens?.[prompt]?.[last] ?? "") : "",
      ...compared(was, is, (id) => clip(before.label(id))),
    },
  };
}

/** Mean surprise of a prompt's next tokens; undefined where none is counted. */
function promptLossOf(run: Run, prompt: number): number | undefined {
  if (run.loss === undefined) return undefined;
  const counted = Array.from(run.lossPerToken.slice(prompt).numbers()).filter((loss) => !Number.isNaN(loss));
  return counted.length === 0 ? undefined : counted.reduce((sum, loss) => sum + loss, 0) / counted.length;
}

function compared(
  was: Float64Array,
  is: Float64Array,
  label: (id: number) => string,
): { readonly divergenceNats: number; readonly moved: readonly MovedToken[] } {
  const [before, after] = [logChances(was), logChances(is)];
  let divergenceNats = 0;
  for (let id = 0; id < before.length; id++) divergenceNats += Math.exp(before[id]) * (before[id] - after[id]);
  const chance = (logs: Float64Array, id: number): number => Math.exp(logs[id]);
  const change = (id: number): number => Math.abs(chance(after, id) - chance(before, id));
  const order = Array.from(before.keys()).sort((a, b) => change(b) - change(a));
  return {
    divergenceNats: Math.max(0, divergenceNats),
    moved: order.slice(0, toldTokens).map((id) => ({
      token: label(id),
      logit: [was[id], is[id]],
      chance: [chance(before, id), chance(after, id)],
    })),
  };
}

function logChances(logits: Float64Array): Float64Array {
  const top = logits.reduce((largest, x) => Math.max(largest, x), -Infinity);
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x - top), 0)) + top;
  return logits.map((x) => x - total);
}

function outputChange(before: Run, after: Run, prompt: number): Change {
  const name = after.addresses.find((address) => !address.endsWith(".pattern"));
  if (name === undefined) return {};
  const [was, is] = [before, after].map((run) => rowsOf(run, run.at(name), prompt));
  const length = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  const size = length(was);
  return size > 0 ? { outputChange: length(is.map((value, at) => value - was[at])) / size } : {};
}

/** What stands at the real tokens of one prompt. */
function rowsOf(run: Run, output: Tensor, prompt: number): Float64Array {
  const own = output.slice(prompt);
  const values = Float64Array.from(own.numbers());
  const real = run.realPositions(prompt);
  const length = run.tokens[prompt]?.length;
  if (own.shape.length !== 2 || own.shape[0] !== length) return values;
  const width = own.shape[1];
  return Float64Array.from(real.flatMap((t) => Array.from(values.subarray(t * width, (t + 1) * width))));
}

const clip = (text: string): string => text.slice(0, headEffectCaps.tokenLength);
