import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { load, maskAttention, tasks, visionTransformer } from "../../kernel/lib/index.js";
import { root } from "../environment.js";

interface Looks {
  readonly strongest: { readonly layer: number; readonly head: number; readonly share: number };
  readonly mean: number;
  readonly chance: number;
}
interface Provenance {
  readonly losses: Readonly<Record<string, number>>;
  readonly evaluations: readonly { readonly step: number; readonly values: Readonly<Record<string, number>> }[];
  readonly attention: { readonly object: Looks; readonly others: Looks };
}
const provenanceIn = (folder: string): Provenance =>
  JSON.parse(readFileSync(join(folder, "provenance.json"), "utf8")) as Provenance;

const folder = mkdtempSync(join(tmpdir(), "attention-lab-demo-vision-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const committed = join(root, "kernel", "demos", "demo-vision");
const told = provenanceIn(committed);
const task = tasks.shapes();
const rows = Array.from({ length: 128 }, (_, i) => task.row(i, "test"));
const images = rows.map(({ picture }) => picture);

describe("the model demo-vision", () => {
  it("is made by its command: two short runs give the same weights, and the losses that the committed run began with", async () => {
    const weights: Buffer[] = [];
    for (const name of ["first", "second"]) {
      const place = ["--out", join(folder, name), "--checkpoint", join(folder, `${name}.checkpoint`)];
      const script = join(root, "scripts", "demoVision.mjs");
      await promisify(execFile)(process.execPath, [script, "--steps", "6", ...place]);
      weights.push(readFileSync(join(folder, name, "model.safetensors")));
    }
    expect(weights[0].equals(weights[1])).toBe(true);
    const again = provenanceIn(join(folder, "first"));
    expect(Object.keys(again.losses)).toEqual(["0", "1", "2", "3", "4", "5"]);
    // Other processors add in another order.
    for (const [step, loss] of Object.entries(again.losses))
      expect(Math.abs(loss - told.losses[step])).toBeLessThan(2e-3);
  }, 300_000);

  it("tells shapes that it did not learn from apart as its provenance says, in less than 2 MB", async () => {
    const model = await load("demo-vision");
    const { logits } = await model.run({ images }, { patterns: false });
    const right = rows.filter(({ label }, b) => {
      const row = task.classes.map((_, c) => logits.item(b, c));
      return row.indexOf(Math.max(...row)) === label;
    });
    const { step, values } = told.evaluations.at(-1)!;
    expect([step, values["accuracy"] > 0.97]).toEqual([1200, true]);
    // 128 of the 512 pictures that were measured: within three standard errors.
    expect(Math.abs(right.length / rows.length - values["accuracy"])).toBeLessThan(0.035);
    expect(statSync(join(committed, "model.safetensors")).size).toBeLessThan(2e6);
    await model.dispose();
  });

  it("looks at the red shape, many times more than chance, and not at the others; before it learned, hardly", async () => {
    const model = await load("demo-vision");
    const untrained = await visionTransformer({ layers: 4, heads: 4, width: 64, classes: task.classes });
    const [run, before] = [await model.run({ images }), await untrained.run({ images })];
    const looks = (of: typeof run, masks: readonly Uint8Array[]) => {
      const scores = maskAttention(of, masks);
      const mean = (name: string): number =>
        scores.rows.reduce((sum, { values }) => sum + values[name], 0) / scores.rows.length;
      return { scores, mean: mean("in mask"), chance: mean("chance") };
    };
    const [object, others] = [looks(run, rows.map(({ mask }) => mask)), looks(run, rows.map(({ others: all }) => all))]; // prettier-ignore
    const { strongest, mean, chance } = told.attention.object;
    expect(object.mean).toBeCloseTo(mean, 3);
    expect(object.chance).toBeCloseTo(chance, 6);
    expect(object.scores.at(strongest.layer, strongest.head).values["in mask"]).toBeCloseTo(strongest.share, 3);
    // By loops over the pattern: the share of that head on the first picture.
    const pattern = run.at(`blocks.${strongest.layer}.attn.pattern`);
    let [on, all] = [0, 0];
    rows[0].mask.forEach((one, pixel) => {
      const weight = pattern.item(0, strongest.head, 0, 1 + 8 * Math.floor(pixel / 32 / 4) + Math.floor((pixel % 32) / 4)); // prettier-ignore
      on += weight * one;
      all += weight;
    });
    const first = object.scores.at(strongest.layer, strongest.head).perPrompt["in mask"][0];
    expect(first).toBeCloseTo(on / all, 9);
    expect(strongest.share).toBeGreaterThan(10 * chance);
    expect(object.mean).toBeGreaterThan(5 * chance);
    expect(others.mean).toBeCloseTo(told.attention.others.mean, 3);
    expect(others.mean).toBeLessThan(0.5 * others.chance);
    expect(looks(before, rows.map(({ mask }) => mask)).mean).toBeLessThan(2 * chance); // prettier-ignore
    await Promise.all([model.dispose(), untrained.dispose()]);
  });
});
