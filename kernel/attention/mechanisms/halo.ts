import { wholeNumber } from "../../tensor/index.js";
import type { Grid } from "../grid.js";
import { checkDivides, tiles } from "../grid.js";
import { localForm } from "../localForm.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import type { Scale } from "../steps.js";

interface HaloOptions {
  readonly scale: Scale;
  readonly grid: Grid;
  /** Side of a block of queries. */
  readonly block: number;
  /** How far beyond its block a query sees. */
  readonly halo: number;
}

/**
 * A picture in blocks; the queries of a block see the block and a margin around it.
 *
 *   keys of a block = the (b + 2h)² tokens around it, those beyond the border left out
 *
 * Range    rows sum to 1
 * Source   HaloNet, arXiv:2103.12731 §2.2
 * Differs  without relative logits; what lies beyond the border is hidden, not a key of zeros
 */
export const halo: Mechanism<HaloOptions> = mechanism<HaloOptions>({
  name: "halo",
  summary: "blocks of a picture, each seeing a margin around it",
  source: "arXiv:2103.12731 §2.2",
  differs: "without relative logits; what lies beyond the border is hidden, not a key of zeros",
  rows: [59],
  defaults: { scale: "1/√D", grid: "square", block: 4, halo: 1 },
  cost: { time: "T·(b + 2h)²·D", state: "not causal" },
  ...localForm<HaloOptions>("halo", {
    parts: (heads, grid, { block, halo: margin }) => {
      checkDivides("halo", "block", block, grid);
      wholeNumber("halo", "halo", margin, 0);
      const [rows, columns] = grid;
      const queries = tiles(grid, [block, block]);
      const side = block + 2 * margin;
      const keys = queries.map(([corner]) =>
        Array.from({ length: side * side }, (_, at) => {
          const row = Math.floor(corner / columns) - margin + Math.floor(at / side);
          const column = (corner % columns) - margin + (at % side);
          const isInside = row >= 0 && column >= 0 && row < rows && column < columns;
          return isInside ? row * columns + column : -1;
        }),
      );
      return [{ heads, groups: { queries, keys } }];
    },
    sees: (query, key, _, { block, halo: margin }) =>
      query.every((at, axis) => {
        const first = at - (at % block);
        return key[axis] >= first - margin && key[axis] < first + block + margin;
      }),
  }),
  limits: [
    { when: "one block is the picture", options: { block: 4, halo: 0 }, equals: "softmax" },
    { when: "the margin holds the picture", options: { halo: 4 }, equals: "softmax" },
  ],
  alsoAsked: [{ block: 2 }, { grid: [2, 8], block: 2, halo: 3 }],
  askedOn: { queries: 16 },
});
