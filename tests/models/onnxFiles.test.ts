import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Tensor } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { inputOf, maxAbsDiff, oracles, readTensors } from "./oracle.js";

const folder = join(oracles, "files");
/** Float32 against float32 of another library. */
const tolerance = 5e-5;

const families = ["bert", "gpt2", "llama"] as const;
const cases = families.flatMap((family) =>
  readdirSync(join(folder, family))
    .filter((name) => name.endsWith(".onnx") && !/^int|^qdq/.test(name))
    .map((name) => [family, name] as const),
);

describe.each(cases)("%s exported as %s", (family, name) => {
  let recorded: ReadonlyMap<string, Tensor>;
  let file: Model;
  let plain: Model;
  const at = (key: string): Tensor => recorded.get(key)!;
  const input = (): ReturnType<typeof inputOf> => inputOf({ folder, tensors: recorded, at, ablated: [] });

  beforeAll(async () => {
    recorded = await readTensors(join(folder, family, "io.safetensors"));
    [file, plain] = await Promise.all([load(join(folder, family, name)), load(join(folder, family))]);
  });
  afterAll(() => Promise.all([file.dispose(), plain.dispose()]));

  it("has the sizes of the model it was made from", () => {
    const sizes = ({ layers, heads, kvHeads, headDim, width, positions }: Model): unknown => [
      ...[layers, heads, kvHeads, headDim, width, positions],
    ];
    expect(sizes(file)).toEqual(sizes(plain));
    expect(file.describe()).toContain("2 attentions found");
  });

  it("gives the logits, patterns and values of Hugging Face transformers and of the safetensors", async () => {
    const capture = ["blocks.*.attn.v", "blocks.*.attn.z"];
    const [run, other] = await Promise.all([file.run(input(), { capture }), plain.run(input(), { capture })]);
    expect(maxAbsDiff(run.logits, at("logits"))).toBeLessThan(tolerance);
    const values = [...recorded.keys()].filter((key) => key.startsWith("v ")).sort();
    expect(values.length).toBe(file.layers);
    for (let layer = 0; layer < file.layers; layer++) {
      const block = `blocks.${layer}.attn`;
      expect(maxAbsDiff(run.at(`${block}.pattern`), at(`pattern.${layer}`)), `pattern ${layer}`).toBeLessThan(
        tolerance,
      );
      expect(maxAbsDiff(run.at(`${block}.v`), at(values[layer])), `v ${layer}`).toBeLessThan(tolerance);
      for (const part of ["pattern", "v", "z"]) {
        expect(maxAbsDiff(run.at(`${block}.${part}`), other.at(`${block}.${part}`)), part).toBeLessThan(tolerance);
      }
    }
    if (other.loss === undefined) expect(run.loss).toBeUndefined();
    else expect(run.loss).toBeCloseTo(other.loss, 5);
  });

  it("loses heads as the safetensors do", async () => {
    for (const mode of ["zero", "mean"] as const) {
      const options = { interventions: [{ at: "blocks.0.attn.z", head: 2, mode }], capture: ["blocks.1.attn.z"] };
      const [run, other, whole] = [
        await file.run(input(), options),
        await plain.run(input(), options),
        await file.run(input()),
      ];
      expect(maxAbsDiff(run.logits, other.logits), mode).toBeLessThan(tolerance);
      expect(maxAbsDiff(run.at("blocks.1.attn.z"), other.at("blocks.1.attn.z")), mode).toBeLessThan(tolerance);
      expect(maxAbsDiff(run.logits, whole.logits), mode).toBeGreaterThan(1e-3);
    }
  });

  it("is not changed by what is captured", async () => {
    const [run, all] = [await file.run(input()), await file.run(input(), { capture: ["blocks.*.attn.scores"] })];
    expect(maxAbsDiff(run.logits, all.logits)).toBe(0);
  });
});
