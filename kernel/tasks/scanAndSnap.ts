import { checkOptions, OptionError, ShapeError, Tensor, wholeNumber } from "../tensor/index.js";
import { runningSums } from "./parts/draws.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface ScanAndSnapOptions {
  /** Tokens that a row may end with; default 2. */
  readonly last?: number;
  /** What may follow each of them; default 1. */
  readonly nextPerLast?: number;
  /** Tokens that stand in every row; default 10. */
  readonly common?: number;
  /** Tokens that only the rows of one next token have; default 10. */
  readonly distinct?: number;
  /** Tokens per row; default 128. */
  readonly length?: number;
  /** Default 0. */
  readonly seed?: number;
}

type Sizes = Required<Omit<ScanAndSnapOptions, "length" | "seed">>;

/** Rows of Scan and Snap, and what is known of them: immutable, shows some rows. */
export class ScanAndSnap extends TokenTask {
  /** [next, vocabulary]: how often each token stands in a row that this next token follows; rows add up to 1. */
  readonly shares: Tensor<"float64">;
  readonly #sizes: Sizes;

  constructor(sizes: Sizes, length: number, seed: number) {
    const { last, nextPerLast, common, distinct } = sizes;
    const nexts = last * nextPerLast;
    const [firstLast, firstNext] = [common + nexts * distinct, common + nexts * distinct + last];
    const vocabulary = [
      ...Array.from({ length: common }, (_, i) => `c${i}`),
      ...Array.from({ length: nexts * distinct }, (_, i) => `d${Math.floor(i / distinct)}.${i % distinct}`),
      ...Array.from({ length: last }, (_, i) => `m${i}`),
      ...Array.from({ length: nexts }, (_, i) => `n${i}`),
    ];
    const table = Array.from({ length: nexts }, (_, next) => {
      const weights = new Float64Array(vocabulary.length).fill(1, 0, common);
      for (let i = 0; i < distinct; i++)
        weights[common + next * distinct + i] = distinct === 1 ? 0.1 : 0.1 + (0.9 * i) / (distinct - 1);
      const sum = weights.reduce((a, b) => a + b);
      return weights.map((weight) => weight / sum);
    });
    const sums = table.map((row) => runningSums(row));
    super({
      name: "scanAndSnap",
      vocabulary,
      length,
      seed,
      row: (draws) => {
        const next = draws.below(nexts);
        const seen = Array.from({ length: length - 1 }, () => draws.among(sums[next]));
        const ids = [...seen, firstLast + Math.floor(next / nextPerLast)];
        return { ids, targets: [...seen.map(() => -1), firstNext + next] };
      },
    });
    this.shares = new Tensor(
      "float64",
      [nexts, vocabulary.length],
      Float64Array.from(table.flatMap((row) => [...row])),
    );
    this.#sizes = sizes;
    Object.freeze(this);
  }

  /**
   * The entropy of the attention that the last token pays to the distinct tokens of each next token, averaged over those.
   *
   *   c_l ∝ P(l | n) · exp z[m,l]   over the distinct tokens l of n, whose last token is m
   *
   * Shapes   scores [vocabulary, vocabulary]: z of each last token (row) for each token (column)
   * Range    0 … ln distinct
   * Source   arXiv:2305.16380, figure 6
   */
  entropy(scores: Tensor): number {
    const size = this.vocabulary.length;
    if (scores.shape.join() !== `${size},${size}`)
      throw new ShapeError(`scanAndSnap: expected scores of shape [${size},${size}], got [${scores.shape.join()}]`);
    const { last, nextPerLast, common, distinct } = this.#sizes;
    const nexts = last * nextPerLast;
    const of = (next: number): number => {
      const m = common + nexts * distinct + Math.floor(next / nextPerLast);
      const own = Array.from({ length: distinct }, (_, i) => common + next * distinct + i);
      const logs = own.map((l) => Math.log(this.shares.item(next, l)) + scores.item(m, l));
      const most = Math.max(...logs);
      const weights = logs.map((x) => Math.exp(x - most));
      const sum = weights.reduce((a, b) => a + b);
      return weights.reduce((rest, w) => (w > 0 ? rest - (w / sum) * Math.log(w / sum) : rest), 0);
    };
    return Array.from({ length: nexts }, (_, next) => of(next)).reduce((a, b) => a + b) / nexts;
  }
}

/**
 * Rows of common tokens and of tokens that tell what follows; a last token says among which.
 *
 *   input    c3 d0.9 c1 d0.7 … m0
 *   predict  ·  ·    ·  ·    … n0
 *
 * A common token is as likely as the likeliest distinct one; the distinct ones of a next token rise evenly from a tenth of that.
 *
 * Throws   OptionError where a row has no room for a token before the last
 * Source   Scan and Snap, arXiv:2305.16380, by the settings of its published runs
 */
export function scanAndSnap(options: ScanAndSnapOptions = {}): ScanAndSnap {
  checkOptions("scanAndSnap", options, ["last", "nextPerLast", "common", "distinct", "length", "seed"]);
  const size = (name: keyof Sizes, usual: number): number => wholeNumber("scanAndSnap", name, options[name] ?? usual);
  const length = wholeNumber("scanAndSnap", "length", options.length ?? 128);
  if (length < 2) throw new OptionError(`scanAndSnap: length must be at least 2, got ${length}`);
  const sizes = {
    ...{ last: size("last", 2), nextPerLast: size("nextPerLast", 1) },
    ...{ common: wholeNumber("scanAndSnap", "common", options.common ?? 10, 0), distinct: size("distinct", 10) },
  };
  return new ScanAndSnap(sizes, length, wholeNumber("scanAndSnap", "seed", options.seed ?? 0, 0));
}
