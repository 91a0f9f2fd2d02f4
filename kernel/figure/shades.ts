import { scalePosition, type ScaleName } from "./colourScale.js";
import { differenceColours } from "./palettes.js";

/** Steps of colour; odd, so that 0 has the middle one of differences. */
const steps = 253;

/** How numbers shade the words of a text. */
export interface ShadeLook {
  /** `"sequential"`: from white at 0 to dark orange; `"diverging"`: blue below 0, orange above. */
  readonly kind: "sequential" | "diverging";
  readonly scale: ScaleName;
  /** The number at the end of the colours. */
  readonly top: number;
}

/** What is painted behind a word, and the colour of its letters. */
export interface Shade {
  readonly fill: string;
  readonly ink: string;
}

/** Letters on a light and on a dark ground. */
const shadeInks: Readonly<Record<"light" | "dark", string>> = { light: "#000000", dark: "#ffffff" };

/** [steps,3] red, green, blue: words stand on white, so 0 is white for amounts as well. */
export function shadeColours(kind: ShadeLook["kind"]): Uint8Array {
  return kind === "diverging" ? differenceColours(steps) : differenceColours(2 * steps - 1).subarray(3 * (steps - 1));
}

/** Which of `shades` a number takes; 0 has no colour, and neither has a missing number. */
export function shadeLevel(value: number | null | undefined, { kind, scale, top }: ShadeLook): number {
  const known = typeof value === "number" && Number.isFinite(value) ? value : 0;
  const place = scalePosition(Math.abs(known), top, scale);
  return Math.round((kind === "diverging" ? 0.5 + (Math.sign(known) * place) / 2 : place) * (steps - 1));
}

/** Every shade of a kind, by level; letters are dark or white, whichever has the larger contrast. */
export function shades(kind: ShadeLook["kind"]): readonly Shade[] {
  const colours = shadeColours(kind);
  return Array.from({ length: steps }, (_, level) => {
    const [red, green, blue] = colours.subarray(3 * level, 3 * level + 3);
    // Relative luminance of 0.179 has the same contrast with black and with white (WCAG 2.2).
    const isLight = luminance(red, green, blue) > 0.179;
    return { fill: hex([red, green, blue]), ink: isLight ? shadeInks.light : shadeInks.dark };
  });
}

function hex(rgb: readonly number[]): string {
  return `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** Relative luminance of an sRGB colour, 0…1 (WCAG 2.2). */
function luminance(red: number, green: number, blue: number): number {
  const linear = [red, green, blue].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}
