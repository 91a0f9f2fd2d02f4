import type { ComputeOptions, Generation, Model } from "../models/index.js";
import { checkOptions, OptionError } from "../tensor/index.js";
import { HeadScores } from "./headScores.js";
import { gridOf } from "./parts/perHead.js";

/** A prompt with something to be found in it. */
export interface RetrievalCase {
  /** The prompt, as text or as token ids. */
  readonly prompt: string | readonly number[];
  /** Which of its tokens are the needle, half open; counted with the special tokens before it. */
  readonly needle: readonly [start: number, end: number];
}

export interface RetrievalOptions {
  /** Default 50. */
  readonly maxNewTokens?: number;
  /** Cases count where the answer holds more than this share of the needle's tokens: 0.5. */
  readonly recall?: number;
  /** Tokens after which an answer is over, such as a line break. */
  readonly stopIds?: readonly number[];
  /** Of the bootstrap; default 0. */
  readonly seed?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/**
 * Heads that copy what is asked for out of a long prompt: the model answers greedily, and a head scores at each step at which
 * it attends most to a token of the needle that is the very token written.
 *
 *   score = Σ_steps 1[argmax_k A[last, k] = j in the needle, token j = token written] / |needle|
 *
 * Range    tokens that are copied again count again, so that a score of a case can be above 1; cases that were not answered say
 *          nothing (NaN), and with no answered case all scores are NaN. In the paper, retrieval heads are those above 0.1
 * Throws   OptionError on needles outside their prompt; whatever `model.generate` throws
 * Source   arXiv:2404.15574 §2 and its code
 * Differs  a case is answered by the recall of the needle's token ids, where the paper's code has that of words (ROUGE-1); the
 *          needle's place is given, where the code searches for it
 * Example  (await retrievalHeads(model, cases)).above(0.1)
 */
export async function retrievalHeads(
  model: Model,
  cases: readonly RetrievalCase[],
  options: RetrievalOptions = {},
): Promise<HeadScores> {
  checkOptions("retrievalHeads", options, ["maxNewTokens", "recall", "stopIds", "seed", "onProgress", "signal"]);
  const { maxNewTokens = 50, recall = 0.5, stopIds = [], seed = 0, onProgress, signal } = options;
  if (cases.length === 0) throw new OptionError("retrievalHeads: expected at least one case, got none");
  const scores: number[][][] = [];
  for (const [at, { prompt, needle }] of cases.entries()) {
    const ids = typeof prompt === "string" ? await idsOf(model, prompt) : prompt;
    const [start, end] = needle;
    if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= ids.length)) {
      throw new OptionError(
        `retrievalHeads: the needle of case ${at} must be a part of 0 … ${ids.length}, got ${needle.join(" … ")}`,
      );
    }
    const written = await model.generate(
      { inputIds: [[...ids]] },
      { maxNewTokens, patterns: true, ...(signal ? { signal } : {}) },
    );
    const steps = stepsOf(written, stopIds);
    const answer = new Set(written.ids[0].slice(0, steps));
    const wanted = [...new Set(ids.slice(start, end))];
    const isAnswered = wanted.filter((id) => answer.has(id)).length / wanted.length > recall;
    scores.push(gridOf(model, (layer, head) => (isAnswered ? copied(written, steps, ids, needle, layer, head) : NaN)));
    onProgress?.(at + 1, cases.length);
  }
  const answered = scores.filter(([[first]]) => !Number.isNaN(first)).length;
  const caption = `Retrieval scores of heads of ${model.name}, ${answered} of ${cases.length} cases answered`;
  return new HeadScores({ caption, measured: { retrieval: scores }, seed, provenance: async () => model.provenance() });
}

/** How many tokens were written until the answer was over, its last one included. */
function stepsOf({ ids: [ids] }: Generation, stopIds: readonly number[]): number {
  const stop = ids.findIndex((id) => stopIds.includes(id));
  return stop === -1 ? ids.length : stop + 1;
}

function copied(
  { ids: [written], patterns: [patterns] }: Generation,
  steps: number,
  prompt: readonly number[],
  [start, end]: RetrievalCase["needle"],
  layer: number,
  head: number,
): number {
  let hits = 0;
  for (let step = 0; step < steps; step++) {
    const row = patterns[step].slice(layer, head).numbers();
    const most = row.indexOf(Math.max(...row));
    if (most >= start && most < end && prompt[most] === written[step]) hits++;
  }
  return hits / (end - start);
}

/** The token ids of a prompt, special tokens included. */
async function idsOf(model: Model, text: string): Promise<readonly number[]> {
  let ids: readonly number[] = [];
  await model.compute(text, ({ at, batch }) => {
    ids = Array.from(batch.inputIds);
    return { read: at("blocks.0.resid_pre") };
  });
  return ids;
}
