import { build } from "../graph/index.js";
import type { Grid } from "./grid.js";
import { gridOf } from "./grid.js";
import type { Groups } from "./groups.js";
import { attendGroups } from "./groups.js";
import { lengthOf } from "./lengths.js";
import type { MechanismSpec } from "./mechanism.js";
import { sizesOf } from "./mechanism.js";
import { dot, normalisedRows, softmaxRow } from "./reference.js";
import type { Scale } from "./steps.js";
import { perHead, scaleOf } from "./steps.js";

/** Where a token stands in its picture. */
export type Place = readonly [row: number, column: number];

/** What tells one mechanism of fixed neighbours from another. */
export interface LocalTraits<O> {
  /** Runs of heads, first heads first, and the groups of tokens within which each run attends. */
  readonly parts: (
    heads: number,
    grid: readonly [number, number],
    options: O,
  ) => readonly { readonly heads: number; readonly groups: Groups }[];
  /** Whether a query sees a key; written from the definition and not from `parts`. */
  readonly sees: (
    query: Place,
    key: Place,
    at: { readonly grid: readonly [number, number]; readonly head: number; readonly heads: number },
    options: O,
  ) => boolean;
}

/** What mechanisms share in which the place of a token in a picture says which keys it sees, by a softmax over those. */
export function localForm<O extends { readonly scale: Scale; readonly grid: Grid }>(
  name: string,
  { parts, sees }: LocalTraits<O>,
): Pick<MechanismSpec<O>, "promises" | "build"> & Required<Pick<MechanismSpec<O>, "reference">> {
  return {
    promises: { sees: "all", rows: "one", mixesValues: true },
    build: ({ q, k, v }, options) => {
      const sizes = sizesOf(name, { q, k, v });
      const { heads, headDim } = sizes;
      const grid = gridOf(name, options.grid, lengthOf(name, sizes));
      const all = { q, k: perHead(k, heads), v: perHead(v, heads) };
      let first = 0;
      const attended = parts(heads, grid, options).map((part) => {
        const own = (x: typeof q): typeof q =>
          part.heads === heads ? x : build.slice(x, 1, first, first + part.heads);
        const call = { q: own(all.q), k: own(all.k), v: own(all.v) };
        first += part.heads;
        return attendGroups(call, part.groups, scaleOf(options.scale, headDim));
      });
      if (attended.length === 1) return attended[0];
      return {
        z: build.concat(attended.map(({ z }) => z), 1), // prettier-ignore
        pattern: build.concat(attended.map(({ pattern }) => pattern), 1), // prettier-ignore
      };
    },
    reference: (given, options) => {
      const { q, k, head, heads } = given;
      const grid = gridOf(name, options.grid, k.length);
      const place = (token: number): Place => [Math.floor(token / grid[1]), token % grid[1]];
      const factor = scaleOf(options.scale, q[0].length);
      const shown = {
        ...given,
        sees: (i: number, j: number) => sees(place(i), place(j), { grid, head, heads }, options),
      };
      return { pattern: normalisedRows(shown, (i, j) => factor * dot(q[i], k[j]), softmaxRow) };
    },
  };
}
