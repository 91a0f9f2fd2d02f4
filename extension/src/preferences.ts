import { paletteNames, scaleNames, type PaletteName, type ScaleName } from "attention-lab/figure";
import { publishedPreferences } from "./publishedPreferences.js";

/** What a new figure starts with. */
export interface Preferences {
  readonly palette: PaletteName;
  readonly scale: ScaleName;
}

/** The current preferences; the defaults where no settings plugin runs. */
export function preferences(): Preferences {
  const { palette, scale } = publishedPreferences();
  return {
    palette: paletteNames.find((name) => name === palette) ?? "viridis",
    scale: scaleNames.find((name) => name === scale) ?? "sqrt",
  };
}
