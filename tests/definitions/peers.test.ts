// The definitions against TransformerLens' own code, run in float64 on the same weights: tests/oracles/peers/lens.py.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model } from "../../kernel/lib/index.js";
import {
  ablate,
  activationPatching,
  attributionPatching,
  compositionScores,
  headRoles,
  headSpectra,
  load,
  logitAttribution,
  logitDifference,
  logitLens,
} from "../../kernel/lib/index.js";
import { oracles, readOracle } from "../models/oracle.js";

type Grid = readonly (readonly number[])[];

interface Lens {
  readonly answers: readonly [number, number];
  readonly detected: readonly (readonly number[])[];
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** By prompt and role, [layer][head]. */
  readonly roles: readonly Readonly<Record<string, Grid>>[];
  /** By weights and kind, [layer · 4 + head of the first][layer][head]. */
  readonly composition: Readonly<Record<"raw" | "folded", Readonly<Record<"Q" | "K" | "V", readonly Grid[]>>>>;
  /** [layer][head], of folded and centred weights. */
  readonly attribution: Grid;
  /** Changes of the metric, [layer][head] and [layer][token]. */
  readonly heads: Grid;
  readonly tokens: Grid;
  /** The metric without each head's output, less the metric as it is, [layer][head]. */
  readonly ablated: Grid;
  /** What patching each head would change, by the derivative, [layer][head]. */
  readonly estimated: Grid;
  /** The metric of the stream before each layer, and of the last one. */
  readonly lens: readonly number[];
  /** [layer][head][value] */
  readonly spectra: Readonly<Record<"OV" | "QK", readonly Grid[]>>;
}

const lens = JSON.parse(readFileSync(join(oracles, "peers", "lens.json"), "utf8")) as Lens;
const metric = logitDifference(...lens.answers);
const prompt = (ids: readonly number[]) => ({ inputIds: [ids] });

/** Equal to 10⁻⁶, or a millionth of the largest where numbers are large. */
function isEqual(found: Grid, expected: Grid, what: string, within = 1e-6): void {
  const scale = Math.max(...expected.flat().map(Math.abs));
  expect(scale, what).toBeGreaterThan(0);
  expect(found.map((row) => row.length)).toEqual(expected.map((row) => row.length));
  found.forEach(
    (row, i) =>
    row.forEach((x, j) => expect(Math.abs(x - expected[i][j]), `${what} ${i}.${j}`).toBeLessThan(within * Math.max(1, scale))), // prettier-ignore
  );
}

let model: Model;
beforeAll(async () => {
  model = await load((await readOracle("gpt2")).folder);
});
afterAll(() => model.dispose());

it("roles by mass, with the first token and without it", async () => {
  for (const [at, ids] of lens.detected.entries()) {
    const scores = await headRoles(model, prompt(ids));
    for (const [role, expected] of Object.entries(lens.roles[at])) isEqual(scores.grid(role), expected, role);
  }
});

it("composition on raw and on folded weights", async () => {
  for (const weights of ["raw", "folded"] as const) {
    const scores = await compositionScores(model, { weights });
    for (const kind of ["Q", "K", "V"] as const) {
      const own = scores.rows.filter((row) => row.kind === kind);
      const expected = own.map(({ fromLayer, fromHead, toLayer, toHead }) => lens.composition[weights][kind][4 * fromLayer + fromHead][toLayer][toHead]); // prettier-ignore
      isEqual([own.map(({ score }) => score)], [expected], `${weights} ${kind}`);
    }
  }
});

it("logit attribution on raw weights is that of folded and centred ones", async () => {
  const { heads } = await logitAttribution(model, prompt(lens.clean), { metric });
  isEqual(heads, lens.attribution, "attribution");
});

it("activation patching of heads, and of the stream at tokens", async () => {
  for (const over of ["heads", "tokens"] as const) {
    const { effects } = await activationPatching(model, prompt(lens.clean), prompt(lens.corrupted), { metric, over });
    // A residual stream of size 11, which float32 rounds by 10⁻⁶: the metric in float64 from there on is as far off.
    isEqual(effects[0], lens[over], over, 5e-6);
  }
});

it("taking out heads, and estimates of patches by the derivative", async () => {
  const { rows } = await ablate(model, prompt(lens.clean), { metric, randomHeads: 0 });
  const effects = lens.ablated.map((heads, l) => heads.map((_, h) => rows.find(({ layer, head }) => layer === l && head === h)!.effect)); // prettier-ignore
  const patches = await attributionPatching(model, prompt(lens.clean), prompt(lens.corrupted), { metric, checkedLayers: [] }); // prettier-ignore
  // As above.
  isEqual(effects, lens.ablated, "ablation", 5e-6);
  isEqual(patches.effects, lens.estimated, "estimate", 5e-6);
});

it("the logit lens with the last norm of each stream's own scale", async () => {
  const found = await logitLens(model, prompt(lens.clean), { metric });
  isEqual([found.metric], [lens.lens], "lens", 5e-6);
});

it("singular values of OV and QK", async () => {
  for (const of of ["OV", "QK"] as const) {
    const { at } = await headSpectra(model, { of });
    const found = lens.spectra[of].map((heads, l) => heads.map((_, h) => at(l, h).values));
    found.forEach((heads, l) => isEqual(heads, lens.spectra[of][l], `${of} ${l}`));
  }
});
