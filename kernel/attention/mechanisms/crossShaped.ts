import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import { depthwise, depthwiseParameters, depthwiseRows } from "../depthwise.js";
import type { Grid } from "../grid.js";
import { checkDivides, gridOf, tiles } from "../grid.js";
import { inverse, whole } from "../groups.js";
import { localForm } from "../localForm.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { product } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead } from "../steps.js";

interface CrossShapedOptions {
  readonly scale: Scale;
  readonly grid: Grid;
  /** Columns, and rows, of a stripe. */
  readonly width: number;
  /** Side of the kernels of the positional convolution of values; 0 for none. */
  readonly kernel: number;
}

/** Height and width of the stripes of the first half of the heads, upright, and of the second, lying. */
function stripesOf([rows, columns]: readonly [number, number], width: number): readonly [number, number][] {
  return [
    [rows, width],
    [width, columns],
  ];
}

const form = localForm<CrossShapedOptions>("crossShaped", {
  parts: (heads, grid, { width }) => {
    checkDivides("crossShaped", "width", width, grid);
    if (heads % 2 !== 0) throw new OptionError(`crossShaped: needs an even number of heads, got ${heads}`);
    return stripesOf(grid, width).map((size) => {
      const stripes = tiles(grid, size);
      return { heads: heads / 2, groups: { queries: stripes, keys: stripes } };
    });
  },
  sees: (query, key, { head, heads }, { width }) => {
    const axis = head < heads / 2 ? 1 : 0;
    return Math.floor(query[axis] / width) === Math.floor(key[axis] / width);
  },
});

/** The positional convolution of half of the heads, which ends at the borders of each stripe. */
function withinStripes(v: Value, kernel: Value, grid: readonly [number, number], size: [number, number]): Value {
  const stripes = tiles(grid, size);
  const parts = stripes.map((tokens) => depthwise(build.gather(v, whole([tokens.length], tokens), 2), kernel, size));
  return build.gather(build.concat(parts, 2), whole([grid[0] * grid[1]], inverse(stripes.flat())), 2);
}

/**
 * Half of the heads attend within upright stripes of a picture and half within lying ones, together a cross.
 *
 *   z = softmax(scale · q·kᵀ) v + LePE(v) within each stripe; LePE convolves each channel of v with a kernel of its own
 *
 * Range    rows of the pattern sum to 1; LePE is not in the pattern
 * Source   CSWin, arXiv:2107.00652 §3.2
 */
export const crossShaped: Mechanism<CrossShapedOptions> = mechanism<CrossShapedOptions>({
  name: "crossShaped",
  summary: "half of the heads in upright stripes of a picture, half in lying ones",
  source: "arXiv:2107.00652 §3.2",
  rows: [123],
  defaults: { scale: "1/√D", grid: "square", width: 2, kernel: 3 },
  promises: { sees: "all", rows: "one", mixesValues: false },
  cost: { time: "T·w·√T·D", state: "not causal" },
  parameters: (sizes, { kernel }) => depthwiseParameters(sizes, kernel),
  build: (call, options) => {
    const { z, pattern } = form.build(call, options);
    if (options.kernel === 0) return { z, pattern };
    const [heads, tokens] = call.q.shape.slice(1) as [number, number];
    const [grid, values] = [gridOf("crossShaped", options.grid, tokens), perHead(call.v, heads)];
    const half = (x: Value, axis: number, part: number): Value =>
      build.slice(x, axis, (part * heads) / 2, ((part + 1) * heads) / 2);
    const parts = stripesOf(grid, options.width).map((size, part) =>
      withinStripes(half(values, 1, part), half(call.parameters["kernel"], 0, part), grid, size),
    );
    const bias = build.unsqueeze(call.parameters["kernelBias"], [1]); // [H,1,E]
    return { pattern, z: build.add(z, build.add(build.concat(parts, 1), bias)) };
  },
  reference: (given, options) => {
    const { pattern } = form.reference(given, options);
    const { v, head, heads, parameters } = given;
    const z = product(pattern, v);
    if (options.kernel === 0) return { pattern, z };
    const grid = gridOf("crossShaped", options.grid, v.length);
    for (const tokens of tiles(grid, stripesOf(grid, options.width)[head < heads / 2 ? 0 : 1])) {
      const size = stripesOf(grid, options.width)[head < heads / 2 ? 0 : 1];
      const place = { head, width: options.kernel, grid: size };
      const convolved = depthwiseRows(tokens.map((token) => v[token]), parameters["kernel"], place); // prettier-ignore
      tokens.forEach((token, at) =>
        z[token].forEach(
          (_, e) => (z[token][e] += convolved[at][e] + parameters["kernelBias"][head * z[0].length + e]),
        ),
      );
    }
    return { pattern, z };
  },
  limits: [
    { when: "a stripe is the picture", options: { width: 4, kernel: 0 }, equals: "softmax" },
    { when: "its kernels are 0", options: { width: 4 }, parameters: { kernel: 0, kernelBias: 0 }, equals: "softmax" },
  ],
  alsoAsked: [{ grid: [2, 8], width: 1, kernel: 4 }],
  askedOn: { queries: 16 },
});
