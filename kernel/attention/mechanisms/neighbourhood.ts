import { OptionError, wholeNumber } from "../../tensor/index.js";
import type { Grid } from "../grid.js";
import { localForm } from "../localForm.js";
import { neighbourhood as near } from "../masks/neighbourhood.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import type { Scale } from "../steps.js";

interface NeighbourhoodOptions {
  readonly scale: Scale;
  readonly grid: Grid;
  /** Keys per axis that every query sees; all of an axis that has fewer. */
  readonly window: number;
  /** Distance between neighbours. */
  readonly dilation: number;
}

/** How many keys of an axis are seen: as many for every query. */
function widthOn(size: number, { window, dilation }: NeighbourhoodOptions): number {
  wholeNumber("neighbourhood", "window", window);
  wholeNumber("neighbourhood", "dilation", dilation);
  if (dilation > size)
    throw new OptionError(`neighbourhood: dilation must be at most ${size}, the length of an axis, got ${dilation}`);
  return Math.min(window, Math.floor(size / dilation));
}

/** The neighbours of `at` along an axis, moved inwards at a border. */
function line(at: number, size: number, options: NeighbourhoodOptions): number[] {
  const { dilation } = options;
  const [residue, window] = [at % dilation, widthOn(size, options)];
  const count = Math.ceil((size - residue) / dilation);
  const first = Math.min(Math.max(Math.floor(at / dilation) - Math.floor(window / 2), 0), count - window);
  return Array.from({ length: window }, (_, n) => residue + dilation * (first + n));
}

/**
 * Every token of a picture attends to the nearest `window` × `window` tokens; at a border the window moves inwards.
 *
 *   along an axis, for token i: start = clip(⌊i/δ⌋ − ⌊w/2⌋, 0, n − w), keys start … start + w − 1 of i's residue modulo δ
 *
 * Range    rows sum to 1, each over exactly w² keys
 * Source   NATTEN, arXiv:2204.07143 §3.1; dilation arXiv:2209.15001 §3; even windows arXiv:2403.04690 §3
 * Differs  without relative position biases, as in the fused kernels; a window wider than an axis sees all of it
 */
export const neighbourhood: Mechanism<NeighbourhoodOptions> = mechanism<NeighbourhoodOptions>({
  name: "neighbourhood",
  summary: "the nearest tokens of a picture, equally many for every token",
  source: "arXiv:2204.07143 §3.1, dilation arXiv:2209.15001 §3",
  differs: "without relative position biases; a window wider than an axis sees all of it",
  rows: [53, 192],
  defaults: { scale: "1/√D", grid: "square", window: 3, dilation: 1 },
  cost: { time: "T·w²·D", state: "not causal" },
  ...localForm<NeighbourhoodOptions>("neighbourhood", {
    parts: (heads, [rows, columns], options) => {
      const tokens = Array.from({ length: rows * columns }, (_, token) => token);
      const keys = tokens.map((token) => {
        const across = line(token % columns, columns, options);
        return line(Math.floor(token / columns), rows, options).flatMap((row) => across.map((c) => row * columns + c));
      });
      return [{ heads, groups: { queries: tokens.map((token) => [token]), keys } }];
    },
    sees: (query, key, { grid }, options) =>
      grid.every((size, axis) => {
        const window = widthOn(size, options);
        return near({ shape: [size], window, dilation: options.dilation }).sees(query[axis], key[axis]);
      }),
  }),
  limits: [{ when: "the window holds the picture", options: { window: 1000, dilation: 1 }, equals: "softmax" }],
  alsoAsked: [
    { grid: [2, 8], window: 2, dilation: 2 },
    { grid: [2, 8], window: 4 },
  ],
  askedOn: { queries: 16 },
});
