const bars = "▁▂▃▄▅▆▇█";

/** Means of up to `count` stretches of a curve. */
export function stretches(curve: ArrayLike<number>, count: number): number[] {
  const n = Math.min(count, curve.length);
  return Array.from({ length: n }, (_, i) => {
    const [from, to] = [Math.floor((i * curve.length) / n), Math.floor(((i + 1) * curve.length) / n)];
    let sum = 0;
    for (let at = from; at < to; at++) sum += curve[at];
    return sum / (to - from);
  });
}

/** A curve in one line of text: first and last value, and bars between its least and its greatest. */
export function curveText(name: string, curve: ArrayLike<number>, width = 40): string {
  if (curve.length === 0) return `${name} –`;
  const means = stretches(curve, width);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const level = (x: number): number => Math.min(7, Math.floor((8 * (x - low)) / (high - low || 1)));
  const drawn = means.map((x) => (Number.isFinite(x) ? bars[level(x)] : "×")).join("");
  const shown = (x: number): string => String(Number(x.toPrecision(4)));
  return `${name} ${shown(means[0])} ${drawn} ${shown(means.at(-1)!)}`;
}
