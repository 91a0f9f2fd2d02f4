import { checkOptions, random, wholeNumber } from "../tensor/index.js";

/** Kinds of text in which heads may be active or dormant. */
export type Domain = "prose" | "code" | "arithmetic" | "dialogue";

export interface DomainsOptions {
  /** Texts of each domain; default 8. */
  readonly count?: number;
  /** Sentences, lines or turns of each text; default 6. */
  readonly parts?: number;
  /** Default 0. */
  readonly seed?: number;
}

const animals = ["cat", "dog", "horse", "bird", "fox", "sheep"];
const places = ["house", "river", "road", "garden", "hill", "market"];
const actions = ["ran past", "slept near", "looked at", "walked to", "came from", "waited by"];
const names = ["x", "y", "total", "count", "value", "size"];
const calls = ["len", "sum", "max", "min", "sorted", "abs"];
const people = ["Anna", "Tom", "Kate", "Paul"];
const questions = ["Where is the", "Have you seen the", "Who took the", "Do you like the"];

type Pick = (list: readonly string[]) => string;

const makers: Readonly<Record<Domain, (pick: Pick, number: (high: number) => number) => string>> = {
  prose: (pick) => `The ${pick(animals)} ${pick(actions)} the ${pick(places)}.`,
  code: (pick, number) => `${pick(names)} = ${pick(calls)}(${pick(names)}, ${number(100)})`,
  arithmetic: (_pick, number) => {
    const [a, b] = [number(90), number(90)];
    return `${a} + ${b} = ${a + b}`;
  },
  dialogue: (pick) => `${pick(people)}: ${pick(questions)} ${pick(animals)}?`,
};

const joints: Readonly<Record<Domain, string>> = { prose: " ", code: "\n", arithmetic: "\n", dialogue: "\n" };

/**
 * Texts of several kinds, to see in which of them a head sleeps: prose, lines of code, sums, and talk.
 *
 *   prose       The cat ran past the river. The dog …
 *   code        total = max(size, 41)
 *   arithmetic  17 + 25 = 42
 *   dialogue    Anna: Have you seen the fox?
 *
 * Throws   OptionError on a count or a number of parts that is not a whole number of at least 1
 * Source   the question of arXiv:2410.13835 §4, active in one domain and dormant in another; the sentences are this project's own
 * Example  const { prose, code } = tasks.domains({ count: 4 })
 */
export function domains(options: DomainsOptions = {}): Readonly<Record<Domain, readonly string[]>> {
  checkOptions("domains", options, ["count", "parts", "seed"]);
  const { count = 8, parts = 6, seed = 0 } = options;
  for (const [name, value] of Object.entries({ count, parts })) wholeNumber("domains", name, value);
  const texts = (domain: Domain): string[] =>
    Array.from({ length: count }, (_, text) =>
      Array.from({ length: parts }, (_part, part) => {
        const stream = random(seed).fork("domains").fork(domain).fork(text).fork(part);
        let drawn = 0;
        const number = (high: number): number => stream.fork(drawn++).integers([], { high }).item();
        return makers[domain]((list) => list[number(list.length)], number);
      }).join(joints[domain]),
    );
  return { prose: texts("prose"), code: texts("code"), arithmetic: texts("arithmetic"), dialogue: texts("dialogue") };
}
