import type { MatrixPayload } from "../views/index.js";
import { niceTop, scalePosition, scaleTicks, type ScaleName } from "./colourScale.js";
import type { ColourRamp } from "./frame.js";
import { differenceColours, paletteColours, type PaletteName } from "./palettes.js";

/** Steps of colour; odd, so that 0 has the middle one. The last index of a picture is "no value". */
const steps = 253;
const noValue = 255;

/** How numbers become colours. */
export interface MatrixLook {
  /** For amounts; differences have colours of their own. */
  readonly palette: PaletteName;
  readonly scale: ScaleName;
}

/** The number at the upper end of the colours. */
export function matrixTop({ values }: MatrixPayload): number {
  return niceTop(values.reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0));
}

/** The colour index of a number: −top … top, or 0 … top for amounts. */
function indexOf(value: number, top: number, scale: ScaleName, diverging: boolean): number {
  const place = scalePosition(Math.abs(value), top, scale);
  return Math.round((diverging ? 0.5 + (Math.sign(value) * place) / 2 : place) * (steps - 1));
}

/** Colour indices of all values, row-major, for `matrixTable`. */
export function matrixIndices(payload: MatrixPayload, scale: ScaleName): Uint8Array {
  const top = matrixTop(payload);
  const diverging = payload.kind === "diverging";
  return Uint8Array.from(payload.values, (value) => (value === null ? noValue : indexOf(value, top, scale, diverging)));
}

/** The 256 colours (red, green, blue, opacity) that `matrixIndices` indexes; no value is no colour. */
export function matrixTable({ kind }: MatrixPayload, palette: PaletteName): Uint8Array {
  const rgb = kind === "diverging" ? differenceColours(steps) : paletteColours(palette, steps);
  const table = new Uint8Array(256 * 4);
  for (let step = 0; step < steps; step++) {
    table.set(rgb.subarray(step * 3, step * 3 + 3), step * 4);
    table[step * 4 + 3] = 255;
  }
  return table;
}

/** The colour bar of a matrix: its colours, its ticks, and in words what they say. */
export function matrixRamp(payload: MatrixPayload, { palette, scale }: MatrixLook): ColourRamp {
  const top = matrixTop(payload);
  const ticks = scaleTicks(top, scale);
  const diverging = payload.kind === "diverging";
  const half = ticks.filter((tick, at) => tick > 0 && (at % 2 === 0 || tick === top));
  const shown = diverging ? [...half.map((tick) => -tick).reverse(), 0, ...half] : ticks;
  const scaleWords = scale === "sqrt" ? "square-root scale" : "linear scale";
  return {
    indices: Uint8Array.from({ length: steps }, (_, step) => step),
    colours: matrixTable(payload, palette),
    ticks: shown.map((value) => ({ value, place: indexOf(value, top, scale, diverging) / (steps - 1) })),
    meaning: `${payload.measure}, ${scaleWords}`,
  };
}
