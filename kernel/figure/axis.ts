/** A range of numbers laid along a line. */
export interface Axis {
  readonly scale: "linear" | "log";
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** Where a number lies: 0 at `low`, 1 at `high`; NaN where the scale has no place for it. */
  readonly place: (value: number) => number;
  /** The number at a place. */
  readonly at: (place: number) => number;
}

/**
 * An axis over a range, widened to ticks of 1, 2 or 5 × 10ⁿ where `wide` is true. A log scale of a range that holds no
 * positive number is drawn linear.
 */
export function axisOver(
  low: number,
  high: number,
  options: { readonly scale?: "linear" | "log"; readonly ticks?: number; readonly wide?: boolean } = {},
): Axis {
  const { scale = "linear", ticks = 5, wide = false } = options;
  return scale === "log" && high > 0 ? logAxis(low > 0 ? low : high / 1e6, high) : linearAxis(low, high, ticks, wide);
}

function linearAxis(from: number, to: number, count: number, wide: boolean): Axis {
  const spread = to > from ? to - from : Math.abs(from) || 1;
  const [least, most] = to > from ? [from, to] : [from - spread / 2, from + spread / 2];
  const step = tickStep(spread / count);
  const low = wide ? Math.floor(least / step + 1e-9) * step : least;
  const high = wide ? Math.ceil(most / step - 1e-9) * step : most;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return {
    scale: "linear",
    low,
    high,
    ticks: Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12))),
    place: (value) => (value - low) / (high - low),
    at: (place) => low + place * (high - low),
  };
}

function logAxis(from: number, to: number): Axis {
  const least = Math.log10(from);
  const most = to > from ? Math.log10(to) : least + 1;
  const decades = most - least;
  const between = decades > 6 ? [1] : decades > 2.5 ? [1, 3] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / 6));
  const ticks: number[] = [];
  for (let power = Math.floor(least); power <= most; power += 1) {
    if (power % every !== 0) continue;
    for (const digit of between) {
      const tick = Number((digit * 10 ** power).toPrecision(3));
      if (tick >= 10 ** least * 0.999 && tick <= 10 ** most * 1.001) ticks.push(tick);
    }
  }
  return {
    scale: "log",
    low: 10 ** least,
    high: 10 ** most,
    ticks,
    place: (value) => (value > 0 ? (Math.log10(value) - least) / (most - least) : NaN),
    at: (place) => 10 ** (least + place * (most - least)),
  };
}

/** The least of 1, 2, 5 × 10ⁿ that is not below `size`. */
function tickStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  const step = [1, 2, 5, 10].find((candidate) => candidate * power * (1 + 1e-9) >= size) ?? 10;
  return step * power;
}

/** A number on an axis: at most 4 digits, powers of ten where it would be long. */
export function tickText(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential().replace("e+", "e").replace("-", "−").replace("e-", "e−");
  return String(Number(value.toPrecision(4))).replace("-", "−");
}
