import { checkOptions, OptionError, random, wholeNumber } from "../tensor/index.js";
import { isToken, type TokenNames } from "./parts/tokens.js";

export interface IoiOptions {
  /** Default 16. */
  readonly count?: number;
  /** Default 0. */
  readonly seed?: number;
}

export interface IoiTask {
  readonly prompts: readonly string[];
  /** The same with three different names: nothing tells who receives. */
  readonly corrupted: readonly string[];
  /** The indirect object, with the space before it. */
  readonly answers: readonly string[];
  /** The subject, which occurs twice. */
  readonly others: readonly string[];
}

const names = ["Mary", "John", "Tom", "James", "Anna", "Paul", "Emma", "Mark", "Kate", "David", "Sarah", "Peter"];
const places = ["store", "park", "school", "office", "garden", "station"];
const objects = ["drink", "book", "ring", "ball", "letter", "key"];

/**
 * Indirect object identification: half of the prompts name the receiver first, half the giver.
 *
 *   prompt     When Mary and John went to the store, John gave a drink to
 *   corrupted  When Mary and John went to the store, Paul gave a drink to
 *   answer     " Mary"    other  " John"
 *
 * Throws   OptionError where fewer than three names are single tokens of the model
 * Source   arXiv:2211.00593 §2; names and sentences are this project's own
 * Example  const task = ioi(model); await ablate(model, task.prompts, { metric: logitDifference(task.answers, task.others) })
 */
export function ioi(model: TokenNames, options: IoiOptions = {}): IoiTask {
  checkOptions("ioi", options, ["count", "seed"]);
  const { count = 16, seed = 0 } = options;
  wholeNumber("ioi", "count", count);
  const known = names.filter((name) => isToken(model, ` ${name}`));
  if (known.length < 3) {
    throw new OptionError(`ioi: needs three names that are one token each, got ${known.length} of ${names.join(", ")}`);
  }
  const drawn = Array.from({ length: count }, (_, i) => {
    const stream = random(seed).fork("ioi").fork(i);
    const [receiver, giver, third] = Array.from(stream.permutation(known.length).data, (at) => known[at]);
    const one = (list: readonly string[], of: string): string => list[stream.fork(of).permutation(list.length).item(0)];
    const pair = i % 2 === 0 ? `${receiver} and ${giver}` : `${giver} and ${receiver}`;
    const start = `When ${pair} went to the ${one(places, "place")},`;
    const end = `gave a ${one(objects, "object")} to`;
    return { receiver, giver, prompt: `${start} ${giver} ${end}`, corrupted: `${start} ${third} ${end}` };
  });
  return {
    prompts: drawn.map(({ prompt }) => prompt),
    corrupted: drawn.map(({ corrupted }) => corrupted),
    answers: drawn.map(({ receiver }) => ` ${receiver}`),
    others: drawn.map(({ giver }) => ` ${giver}`),
  };
}
