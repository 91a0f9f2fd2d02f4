/**
 * Indices of at most `most` values that keep what a drawn curve shows: of each bucket of neighbours the first, the
 * least, the greatest and the last, so that no spike vanishes.
 *
 * Range    increasing; all indices where there are no more than `most` values; the first and the last always
 */
export function thinned(values: ArrayLike<number>, most: number): readonly number[] {
  const count = values.length;
  if (count <= most) return Array.from({ length: count }, (_, at) => at);
  const buckets = Math.max(1, Math.floor(most / 4));
  const kept: number[] = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * count) / buckets);
    const to = Math.floor(((bucket + 1) * count) / buckets);
    let [least, greatest] = [from, from];
    for (let at = from; at < to; at++) {
      // What is not a number loses every comparison, so one that stands first is given up for the first number.
      if (values[at] < values[least] || Number.isNaN(values[least])) least = at;
      if (values[at] > values[greatest] || Number.isNaN(values[greatest])) greatest = at;
    }
    kept.push(...[...new Set([from, least, greatest, to - 1])].sort((a, b) => a - b));
  }
  return kept;
}
