import { meanOf } from "./statistics.js";

/** Pearson's correlation; NaN where either side is constant. */
export function correlationOf(xs: readonly number[], ys: readonly number[]): number {
  const [mx, my] = [meanOf(xs), meanOf(ys)];
  const sum = (of: (i: number) => number): number => xs.reduce((total, _, i) => total + of(i), 0);
  const spread = Math.sqrt(sum((i) => (xs[i] - mx) ** 2) * sum((i) => (ys[i] - my) ** 2));
  return spread === 0 ? NaN : sum((i) => (xs[i] - mx) * (ys[i] - my)) / spread;
}

/** Ranks from 1; equal numbers share the mean of theirs. */
export function ranksOf(xs: readonly number[]): readonly number[] {
  const order = [...xs.keys()].sort((a, b) => xs[a] - xs[b]);
  const ranks = new Array<number>(xs.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && xs[order[to]] === xs[order[from]]) to++;
    for (let i = from; i < to; i++) ranks[order[i]] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}
