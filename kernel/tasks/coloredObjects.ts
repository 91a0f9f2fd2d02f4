import { checkOptions, OptionError, random, wholeNumber } from "../tensor/index.js";
import { isToken, type TokenNames } from "./parts/tokens.js";

export interface ColoredObjectsOptions {
  /** Default 16. */
  readonly count?: number;
  /** Default 0. */
  readonly seed?: number;
}

export interface ColoredObjectsTask {
  readonly prompts: readonly string[];
  /** The same with another of the three objects asked for. */
  readonly corrupted: readonly string[];
  /** The colour of the object that is asked for, with the space before it. */
  readonly answers: readonly string[];
  /** The colour of the object that the corrupted prompt asks for. */
  readonly others: readonly string[];
}

const colours = ["red", "blue", "green", "yellow", "black", "white", "brown", "pink", "orange", "purple"];
const objects = ["pen", "cup", "ball", "book", "ring", "key", "box", "hat", "lamp", "plate"];

/** "a red pen", "an orange cup" */
const phrase = (colour: string, object: string): string =>
  `${/^[aeiou]/.test(colour) ? "an" : "a"} ${colour} ${object}`;

/**
 * Three objects of different colours, and the colour of one of them asked for: names have to be bound to what stands beside them.
 *
 *   prompt     Q: On the table there are a red pen, a blue cup and a green ball. What color is the cup? A: The cup is
 *   corrupted  Q: On the table there are a red pen, a blue cup and a green ball. What color is the ball? A: The ball is
 *   answer     " blue"    other  " green"
 *
 * Throws   OptionError where fewer than three colours or objects are single tokens of the model
 * Source   arXiv:2310.08744 §3 (it shares heads with indirect object identification); the sentences are this project's own
 */
export function coloredObjects(model: TokenNames, options: ColoredObjectsOptions = {}): ColoredObjectsTask {
  checkOptions("coloredObjects", options, ["count", "seed"]);
  const { count = 16, seed = 0 } = options;
  wholeNumber("coloredObjects", "count", count);
  const known = [colours, objects].map((list) => list.filter((word) => isToken(model, ` ${word}`)));
  known.forEach((list, i) => {
    if (list.length < 3) {
      const wanted = [colours, objects][i].join(", ");
      throw new OptionError(
        `coloredObjects: needs three words that are one token each, got ${list.length} of ${wanted}`,
      );
    }
  });
  const drawn = Array.from({ length: count }, (_, i) => {
    const stream = random(seed).fork("coloredObjects").fork(i);
    const three = (list: readonly string[], name: string): readonly string[] =>
      Array.from(stream.fork(name).permutation(list.length).data.slice(0, 3), (at) => list[Number(at)]);
    const [colour, object] = [three(known[0], "colours"), three(known[1], "objects")];
    const [a, b, c] = colour.map((each, at) => phrase(each, object[at]));
    const order = Array.from(stream.fork("asked").permutation(3).data, Number);
    const ask = (at: number): string =>
      `Q: On the table there are ${a}, ${b} and ${c}. What color is the ${object[at]}? A: The ${object[at]} is`;
    return { prompt: ask(order[0]), corrupted: ask(order[1]), answer: colour[order[0]], other: colour[order[1]] };
  });
  return {
    prompts: drawn.map(({ prompt }) => prompt),
    corrupted: drawn.map(({ corrupted }) => corrupted),
    answers: drawn.map(({ answer }) => ` ${answer}`),
    others: drawn.map(({ other }) => ` ${other}`),
  };
}
