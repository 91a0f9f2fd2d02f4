import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, ModelInput, Tensor } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { rowSumError } from "../../kernel/lib/models/onnx/proof.js";
import { inputOf, maxAbsDiff, oracles, readTensors } from "./oracle.js";

const folder = join(oracles, "files");
/** Float32 against float32. */
const tolerance = 5e-5;

const suffix = ".quantised.safetensors";
const cases = ["bert", "llama", "vit"].flatMap((family) =>
  readdirSync(join(folder, family))
    .filter((name) => name.endsWith(suffix))
    .map((name) => [family, name.slice(0, -suffix.length)] as const),
);

describe.each(cases)("%s with the quantised weights of %s", (family, name) => {
  let given: ReadonlyMap<string, Tensor>;
  let recorded: ReadonlyMap<string, Tensor>;
  let file: Model;
  const at = (key: string): Tensor => recorded.get(key)!;
  /** Eight bits of an activation: on another processor, a number on the edge between two steps may fall to either. */
  const step = (): number => (recorded.has("float.logits") ? tolerance : 2e-2);
  const input = (): ModelInput =>
    family === "vit"
      ? { pixelValues: given.get("pixel_values")! }
      : inputOf({ folder, tensors: given, at: (key) => given.get(key)!, ablated: [] });

  beforeAll(async () => {
    given = await readTensors(join(folder, family, "io.safetensors"));
    recorded = await readTensors(join(folder, family, name + suffix));
    file = await load(join(folder, family, `${name}.onnx`));
  });
  afterAll(() => file.dispose());

  it("gives what onnxruntime gives for the file as it is, whatever is captured", async () => {
    const capture = ["blocks.*.attn.v", "blocks.*.attn.z", "blocks.*.attn.scores"];
    const [bare, run] = [await file.run(input(), { patterns: false }), await file.run(input(), { capture })];
    expect(maxAbsDiff(bare.logits, at("logits"))).toBeLessThan(step());
    expect(maxAbsDiff(run.logits, bare.logits)).toBeLessThan(step());
    for (const layer of [0, 1]) {
      const part = (key: string): Tensor => run.at(`blocks.${layer}.attn.${key}`);
      expect(maxAbsDiff(part("pattern"), at(`pattern.${layer}`))).toBeLessThan(step());
      expect(rowSumError(part("pattern"))).toBeLessThan(1e-6);
    }
  });

  it("loses a head as the file does when its z is set to 0 in it", async () => {
    const run = await file.run(input(), { interventions: [{ layer: 0, head: 2, mode: "zero" }] });
    expect(maxAbsDiff(run.logits, at("ablated"))).toBeLessThan(step());
    expect(maxAbsDiff(at("ablated"), at("logits"))).toBeGreaterThan(2 * step());
  });

  it("equals the float weights that the quantised ones stand for", async () => {
    // Where activations are quantised too, there is no such model.
    if (!recorded.has("float.logits")) return expect(file.describe()).toContain("2 attentions found");
    const [run, edited] = [
      await file.run(input()),
      await file.run(input(), { interventions: [{ layer: 0, head: 2, mode: "zero" }] }),
    ];
    expect(maxAbsDiff(run.logits, at("float.logits"))).toBeLessThan(tolerance);
    expect(maxAbsDiff(edited.logits, at("float.ablated"))).toBeLessThan(tolerance);
    for (const layer of [0, 1]) {
      const pattern = run.at(`blocks.${layer}.attn.pattern`);
      expect(maxAbsDiff(pattern, at(`float.pattern.${layer}`))).toBeLessThan(tolerance);
    }
  });
});
