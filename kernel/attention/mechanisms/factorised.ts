import { OptionError, wholeNumber } from "../../tensor/index.js";
import type { Grid } from "../grid.js";
import { checkDivides, tiles } from "../grid.js";
import { localForm } from "../localForm.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import type { Scale } from "../steps.js";

interface FactorisedOptions {
  readonly scale: Scale;
  readonly grid: Grid;
  /** Keys per axis that every query sees. */
  readonly window: number;
  /** Distances between them, one for each equal share of the heads. */
  readonly dilations: readonly number[];
}

/**
 * The matrix of all pairs split among the heads: each share sees windows of one size, taken at its own distance.
 *
 *   with distance δ: the picture in tiles of side w·δ; a query sees the w² tokens of its tile whose places equal its own modulo δ
 *
 * Range    rows sum to 1
 * Source   FaSA of FaViT, arXiv:2312.08614 §3.2
 * Differs  keys at a distance are single tokens; the paper's far groups read averages of windows through a learned product
 */
export const factorised: Mechanism<FactorisedOptions> = mechanism<FactorisedOptions>({
  name: "factorised",
  summary: "windows of one size, taken at another distance by each share of the heads",
  source: "arXiv:2312.08614 §3.2",
  differs: "keys at a distance are single tokens, not learned averages of windows",
  rows: [47],
  defaults: { scale: "1/√D", grid: "square", window: 2, dilations: [1, 2] },
  cost: { time: "T·w²·D", state: "not causal" },
  ...localForm<FactorisedOptions>("factorised", {
    parts: (heads, grid, { window, dilations }) => {
      wholeNumber("factorised", "window", window);
      if (dilations.length === 0 || heads % dilations.length !== 0)
        throw new OptionError(
          `factorised: dilations must share ${heads} heads equally, got ${dilations.length} of them`,
        );
      return dilations.map((dilation) => {
        const side = window * dilation;
        checkDivides("factorised", "window times each of the dilations", side, grid);
        const groups = tiles(grid, [side, side]).flatMap((tile) =>
          Array.from({ length: dilation * dilation }, (_, residue) =>
            tile.filter((__, at) => {
              const [row, column] = [Math.floor(at / side) % dilation, at % dilation];
              return row * dilation + column === residue;
            }),
          ),
        );
        return { heads: heads / dilations.length, groups: { queries: groups, keys: groups } };
      });
    },
    sees: (query, key, { head, heads }, { window, dilations }) => {
      const dilation = dilations[Math.floor((head * dilations.length) / heads)];
      return query.every((at, axis) => {
        const isSameTile = Math.floor(at / (window * dilation)) === Math.floor(key[axis] / (window * dilation));
        return isSameTile && (at - key[axis]) % dilation === 0;
      });
    },
  }),
  limits: [{ when: "the window is the picture", options: { window: 4, dilations: [1] }, equals: "softmax" }],
  alsoAsked: [{ grid: [2, 8], window: 1 }],
  askedOn: { queries: 16 },
});
