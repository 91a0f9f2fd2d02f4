import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import type { Model } from "../../kernel/lib/index.js";
import { headRoles, load, random, tasks, transformer } from "../../kernel/lib/index.js";
import { root } from "../environment.js";

interface Provenance {
  readonly losses: Readonly<Record<string, number>>;
  readonly heads: {
    readonly induction: { readonly layer: number; readonly head: number; readonly score: number };
    readonly previous: { readonly layer: number; readonly head: number; readonly score: number };
  };
  readonly evaluations: readonly { readonly step: number; readonly values: Readonly<Record<string, number>> }[];
}
const provenanceIn = (folder: string): Provenance =>
  JSON.parse(readFileSync(join(folder, "provenance.json"), "utf8")) as Provenance;

const folder = mkdtempSync(join(tmpdir(), "attention-lab-demo-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const committed = join(root, "kernel", "demos", "demo");
const told = provenanceIn(committed);
const period = 40;
const vocabulary = 1024;
const repeats = tasks.repeatedTokens({ count: 8, period, low: 1, high: vocabulary, first: 0 });
const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);

/** Runs the command for a few steps; what it wrote. */
async function trained(name: string, ...more: readonly string[]): Promise<Provenance> {
  const place = ["--out", join(folder, name), "--checkpoint", join(folder, `${name}.checkpoint`)];
  await promisify(execFile)(process.execPath, [join(root, "scripts", "demo.mjs"), "--steps", "3", ...more, ...place]);
  return provenanceIn(join(folder, name));
}

/** Mean surprise at the tokens of the first time and of the second, in nats. */
async function surprises(model: Model): Promise<readonly [number, number]> {
  const { logProbs } = await model.run(repeats, { patterns: false });
  const of = (from: number, to: number): number =>
    sum(
      repeats.inputIds.map((ids, row) =>
        sum(Array.from({ length: to - from }, (_, i) => -logProbs.item(row, from + i, ids[from + i + 1]))),
      ),
    ) /
    (repeats.inputIds.length * (to - from));
  return [of(0, period), of(period + 1, 2 * period)];
}

describe("the model demo", () => {
  it("is made by its command: one seed gives one model, and another text is refused", async () => {
    const draw = random(3).integers([6000], { high: 60 }).numbers();
    const words = Array.from({ length: 60 }, (_, i) => `${"bdfklmnprst"[i % 11]}${"aeiou"[i % 5]}${"lmnrst"[i % 6]}`);
    const verses = Array.from({ length: 500 }, (_, i) =>
      Array.from(draw.slice(12 * i, 12 * i + 12), (word) => words[word]),
    );
    const text = join(folder, "text");
    writeFileSync(text, `\nStand-in 1\n\n${verses.map((verse, i) => `  ${i + 1} ${verse.join(" ")}.\n`).join("")}`);
    const sha256 = createHash("sha256").update(readFileSync(text)).digest("hex");
    const first = await trained("first", "--text", text, "--sha256", sha256);
    const second = await trained("second", "--text", text, "--sha256", sha256);
    expect(Object.keys(first.losses)).toEqual(["0", "1", "2"]);
    expect(second).toEqual(first);
    const [a, b] = ["first", "second"].map((name) => readFileSync(join(folder, name, "model.safetensors")));
    expect(a.equals(b)).toBe(true);
    await expect(trained("other", "--text", text)).rejects.toThrow("is another text; expected sha256 82fa5f37");
  }, 300_000);

  const kjv = process.env["ATTENTION_LAB_KJV"];
  it.runIf(kjv !== undefined)(
    "ATTENTION_LAB_KJV: on the text itself it begins with the losses of the committed run",
    async () => {
      const again = await trained("kjv", "--text", kjv!);
      // Other processors add in another order.
      for (const [step, loss] of Object.entries(again.losses))
        expect(Math.abs(loss - told.losses[step])).toBeLessThan(2e-3);
    },
    300_000,
  );

  it("has induction heads: random tokens are a surprise the first time only", async () => {
    expect(statSync(join(committed, "model.safetensors")).size).toBeLessThan(12e6);
    const model = await load("demo");
    expect([model.layers, model.heads]).toEqual([4, 4]);
    const [once, again] = await surprises(model);
    expect(once).toBeGreaterThan(6);
    expect(again).toBeLessThan(1.5);
    const roles = await headRoles(model, repeats, { period });
    const { induction, previous } = told.heads;
    const score = (at: typeof induction, measure: string): number => roles.at(at.layer, at.head).values[measure];
    expect(score(induction, "induction diagonal")).toBeCloseTo(induction.score, 3);
    expect(score(previous, "previous diagonal")).toBeCloseTo(previous.score, 3);
    expect(induction.score).toBeGreaterThan(0.5);
    expect(previous.score).toBeGreaterThan(0.5);
    // What an induction head looks for is written by a layer below it.
    expect(previous.layer).toBeLessThan(induction.layer);
  });

  it("had none before it learned", async () => {
    const shape = { layers: 4, heads: 4, width: 128, length: 128, positions: "rotary", vocabulary } as const;
    const untrained = await transformer(shape);
    const [once, again] = await surprises(untrained);
    // Tokens drawn at random: even guessing is the best that looking at nothing can do.
    for (const surprise of [once, again]) expect(surprise).toBeGreaterThan(Math.log(vocabulary) - 0.1);
    const roles = await headRoles(untrained, repeats, { period });
    for (const { values } of roles.rows) expect(values["induction diagonal"]).toBeLessThan(0.1);
  });

  it("continues verses that it did not learn from as its provenance tells", async () => {
    const model = await load("demo");
    const verses = [
      "And let him that is athirst come. And whosoever will, let him take the water of life freely.",
      "He which testifieth these things saith, Surely I come quickly. Amen. Even so, come, Lord Jesus.",
      "The grace of our Lord Jesus Christ be with you all. Amen.",
    ];
    const runs = await Promise.all(verses.map(async (verse) => model.run(verse, { patterns: false })));
    const counts = runs.map(({ tokens }) => tokens[0].length - 1);
    expect(runs.every(({ tokens }) => tokens[0][0] === "<s>")).toBe(true);
    const loss = sum(runs.map((run, i) => run.loss! * counts[i])) / sum(counts);
    const { values } = told.evaluations.at(-1)!;
    expect(values["again"]).toBeLessThan(1.2);
    // A few dozen tokens, of which each may surprise by several nats.
    expect(Math.abs(loss - values["new"])).toBeLessThan(0.8);
  });
});
