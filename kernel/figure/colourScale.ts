/** How a weight becomes a place on the palette. */
export type ScaleName = "linear" | "sqrt";

/** Scale names in the order in which a chooser offers them. */
export const scaleNames: readonly ScaleName[] = ["linear", "sqrt"];

/** Where a weight lies between 0 and `top`: 0…1, linear or as a square root; above `top` it stays 1. */
export function scalePosition(weight: number, top: number, scale: ScaleName): number {
  const share = Math.min(1, Math.max(0, weight / top));
  return scale === "sqrt" ? Math.sqrt(share) : share;
}

/** The upper end of a colour scale: the next of 1, 2, 5 × 10ⁿ at or above the largest weight; 1 for an empty pattern. */
export function niceTop(largest: number): number {
  if (!(largest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  const step = [1, 2, 5, 10].find((candidate) => candidate * power * (1 + 1e-6) >= largest) ?? 10;
  return Number((step * power).toPrecision(1));
}

/** Weights to mark on a colour bar, 0 and `top` included. */
export function scaleTicks(top: number, scale: ScaleName): readonly number[] {
  const shares = scale === "sqrt" ? [0, 0.05, 0.2, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  return shares.map((share) => Number((share * top).toPrecision(3)));
}
