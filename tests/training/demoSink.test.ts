import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { load, sinks, tasks, transformer } from "../../kernel/lib/index.js";
import { root } from "../environment.js";

interface Provenance {
  readonly losses: Readonly<Record<string, number>>;
  readonly bigramFloor: number;
  readonly evaluations: readonly { readonly step: number; readonly values: Readonly<Record<string, number>> }[];
}
const provenanceIn = (folder: string): Provenance =>
  JSON.parse(readFileSync(join(folder, "provenance.json"), "utf8")) as Provenance;

const folder = mkdtempSync(join(tmpdir(), "attention-lab-demo-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const committed = join(root, "kernel", "demos", "demo-sink");
const told = provenanceIn(committed);
const task = tasks.bigramBackcopy({ length: 64 });
const rows = Array.from({ length: 24 }, (_, i) => task.row(i, "test"));
const inputIds = rows.map(({ ids }) => ids);

describe("the model demo-sink", () => {
  it("is made by its command: a short run of it has the losses that the committed run began with", async () => {
    const place = ["--out", join(folder, "short"), "--checkpoint", join(folder, "short.checkpoint")];
    const script = join(root, "scripts", "demoSink.mjs");
    await promisify(execFile)(process.execPath, [script, "--steps", "31", ...place]);
    const again = provenanceIn(join(folder, "short"));
    expect(Object.keys(again.losses)).toEqual(["0", "10", "20", "30"]);
    // Other processors add in another order.
    for (const [step, loss] of Object.entries(again.losses))
      expect(Math.abs(loss - told.losses[step])).toBeLessThan(2e-3);
    expect((await load(join(folder, "short"))).layers).toBe(1);
  }, 300_000);

  it("has the loss that its provenance tells, near the least possible one, in less than 2 MB", async () => {
    const model = await load("demo-sink");
    const { logProbs } = await model.run({ inputIds }, { patterns: false });
    const sums = [0, 0];
    const counts = [0, 0];
    rows.forEach(({ targets, kinds }, row) =>
      targets.forEach((target, t) => {
        if (target < 0) return;
        sums[kinds![t]] -= logProbs.item(row, t, target);
        counts[kinds![t]]++;
      }),
    );
    const { values } = told.evaluations.at(-1)!;
    expect(sums[0] / counts[0]).toBeLessThan(0.01);
    expect(values["backcopy"]).toBeLessThan(0.01);
    expect(Math.abs(values["bigram"] - told.bigramFloor)).toBeLessThan(0.05);
    // 24 rows of the 256 that were measured: within three standard errors of English letters.
    expect(Math.abs(sums[1] / counts[1] - values["bigram"])).toBeLessThan(0.15);
    expect(statSync(join(committed, "model.safetensors")).size).toBeLessThan(2e6);
  });

  it("has a sink, drained values, and is dormant except after triggers", async () => {
    const model = await load("demo-sink");
    const run = await model.run({ inputIds }, { capture: ["blocks.0.attn.v"] });
    const [pattern, v] = [run.at("blocks.0.attn.pattern"), run.at("blocks.0.attn.v")];
    const mass = { sink: [0, 0], previous: [0, 0] };
    const counts = [0, 0];
    rows.forEach(({ kinds }, row) =>
      kinds!.forEach((kind, t) => {
        if (kind < 0 || t < 2) return;
        counts[kind]++;
        mass.sink[kind] += pattern.item(row, 0, t, 0);
        mass.previous[kind] += pattern.item(row, 0, t, t - 1);
      }),
    );
    expect(mass.sink[1] / counts[1]).toBeGreaterThan(0.6);
    expect(mass.sink[0] / counts[0]).toBeLessThan(0.05);
    expect(mass.previous[0] / counts[0]).toBeGreaterThan(0.8);
    const norm = (row: number, t: number): number => Math.hypot(...v.slice(row, 0, t).numbers());
    const others = rows.map((_, row) => norm(row, 20)).reduce((a, b) => a + b) / rows.length;
    expect(norm(0, 0) / others).toBeLessThan(0.5);
  });

  it("is found out by the analysis of sinks; the same model before it learned has none", async () => {
    const report = await sinks(await load("demo-sink"), { inputIds: inputIds.slice(0, 6) });
    expect(report.rate(0, 0.3)).toBe(1);
    expect(report.heads[0].received).toBeGreaterThan(0.4);
    expect(report.heads[0].plainDrain).toBeLessThan(0.5);
    const untrained = await transformer({
      ...{ layers: 1, heads: 1, width: 64, length: 64, vocabulary: task.vocabulary, embedding: 1 },
    });
    expect((await sinks(untrained, { inputIds: inputIds.slice(0, 6) })).rate(0, 0.3)).toBe(0);
  });
});
