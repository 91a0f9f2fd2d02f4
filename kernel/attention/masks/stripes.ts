import { OptionError, wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

export interface StripesOptions {
  /** Rows and columns of the image, tokens row-major. */
  readonly shape: readonly [number, number];
  /** Rows (or columns) per stripe. */
  readonly width: number;
  readonly direction: "rows" | "columns";
}

/**
 * Stripes of an image: whole rows or whole columns, `width` of them together.
 *
 * Throws   OptionError unless the width divides the image
 * Source   cross-shaped windows: CSWin, arXiv:2107.00652 §3.2
 */
export function stripes({ shape: [rows, columns], width, direction }: StripesOptions): Mask {
  wholeNumber("stripes", "width", width);
  const size = direction === "rows" ? rows : columns;
  if (size % width !== 0) throw new OptionError(`stripes: ${size} ${direction} are no multiple of ${width}`);
  const stripe = (token: number): number =>
    Math.floor((direction === "rows" ? Math.floor(token / columns) : token % columns) / width);
  return { name: `stripes of ${width} ${direction}`, sees: (query, key) => stripe(query) === stripe(key) };
}
