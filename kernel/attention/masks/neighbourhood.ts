import { OptionError, wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

export interface NeighbourhoodOptions {
  /** Tokens along each axis of the image or text, row-major: `[T]` or `[rows, columns]`. */
  readonly shape: readonly number[];
  /** Keys per axis that every query sees, also at a border. */
  readonly window: number;
  /** Distance between neighbours; 1 when left out. */
  readonly dilation?: number;
}

/** First of `window` neighbours of `at` among `size`, moved inwards at a border. */
function start(at: number, window: number, size: number): number {
  return Math.min(Math.max(at - Math.floor(window / 2), 0), size - window);
}

/** Whether `key` is among the neighbours of `query` along one axis; dilated, among tokens of its own residue. */
function isNear(query: number, key: number, size: number, window: number, dilation: number): boolean {
  if (query % dilation !== key % dilation) return false;
  const residue = query % dilation;
  const count = Math.ceil((size - residue) / dilation);
  const first = start(Math.floor(query / dilation), window, count);
  const place = Math.floor(key / dilation);
  return place >= first && place < first + window;
}

/**
 * Neighbourhood attention: the nearest `window` keys per axis. At a border the window moves inwards, so that every query
 * sees equally many keys.
 *
 * Throws   OptionError where the window does not fit
 * Source   arXiv:2204.07143 §3.1; dilation arXiv:2209.15001 §3; for even windows arXiv:2403.04690 (start at −⌊w/2⌋)
 */
export function neighbourhood({ shape, window, dilation = 1 }: NeighbourhoodOptions): Mask {
  wholeNumber("neighbourhood", "window", window);
  wholeNumber("neighbourhood", "dilation", dilation);
  const tight = shape.find((size) => Math.floor(size / dilation) < window);
  if (tight !== undefined)
    throw new OptionError(`neighbourhood: ${window} keys at distance ${dilation} do not fit an axis of ${tight}`);
  const places = (token: number): number[] => {
    const at: number[] = [];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at.unshift(token % shape[axis]);
      token = Math.floor(token / shape[axis]);
    }
    return at;
  };
  return {
    name: `neighbourhood of ${window}${dilation === 1 ? "" : `, every ${dilation}`} on ${shape.join(" × ")}`,
    sees: (query, key) => {
      const [from, to] = [places(query), places(key)];
      return shape.every((size, axis) => isNear(from[axis], to[axis], size, window, dilation));
    },
  };
}
