import { paletteNames, scaleNames, type PaletteName, type ScaleName } from "attention-lab/figure";
import { publishedPreferences } from "./publishedPreferences.js";

/** What a new figure starts with. */
export interface Preferences {
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  /** Side that no head of a grid exceeds, CSS pixels. */
  readonly size: number;
  /** Significant digits of exact weights. */
  readonly digits: number;
}

const sizes: Readonly<Record<string, number>> = { small: 96, medium: 168, large: 280 };
const digitCounts = { least: 2, most: 9, usual: 4 };

/** The current preferences; the defaults where no settings plugin runs. */
export function preferences(): Preferences {
  const { palette, scale, size, digits } = publishedPreferences();
  const { least, most, usual } = digitCounts;
  return {
    palette: paletteNames.find((name) => name === palette) ?? "viridis",
    scale: scaleNames.find((name) => name === scale) ?? "sqrt",
    size: sizes[size ?? ""] ?? 168,
    digits: Math.min(most, Math.max(least, Math.round(Number(digits) || usual))),
  };
}
