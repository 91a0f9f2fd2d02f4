import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, ModelInput, Run, Tensor } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { maxAbsDiff, oracles, readTensors, rowsOf } from "./oracle.js";

const folder = join(oracles, "files");
/** Float32 against float32 of another library. */
const tolerance = 5e-5;

interface Kind {
  readonly path: string;
  /** What comes before the names of recorded patterns. */
  readonly recorded: string;
  readonly stack: string | undefined;
}

const kinds: Readonly<Record<string, readonly Kind[]>> = {
  vit: [{ path: "blocks.*.attn", recorded: "", stack: undefined }],
  whisper: [
    { path: "encoder.blocks.*.attn", recorded: "encoder.", stack: "encoder" },
    { path: "decoder.blocks.*.attn", recorded: "decoder.", stack: "decoder" },
    { path: "decoder.blocks.*.cross_attn", recorded: "cross.", stack: "cross" },
  ],
};

const cases = Object.keys(kinds).flatMap((family) =>
  readdirSync(join(folder, family))
    .filter((name) => name.endsWith(".onnx") && !/^int|^qdq/.test(name))
    .map((name) => [family, name] as const),
);

describe.each(cases)("%s exported as %s", (family, name) => {
  let at: (key: string) => Tensor;
  let file: Model;
  let plain: Model;
  const input = (): ModelInput =>
    family === "vit"
      ? { pixelValues: at("pixel_values") }
      : { inputFeatures: at("input_features"), decoderInputIds: rowsOf(at("decoder_input_ids")) };
  const both = async (ask: (model: Model) => Promise<Run>): Promise<readonly [Run, Run]> => [
    await ask(file),
    await ask(plain),
  ];

  beforeAll(async () => {
    const tensors = await readTensors(join(folder, family, "io.safetensors"));
    at = (key) => tensors.get(key)!;
    [file, plain] = await Promise.all([load(join(folder, family, name)), load(join(folder, family))]);
  });
  afterAll(() => Promise.all([file.dispose(), plain.dispose()]));

  it("has the sizes of the model it was made from", () => {
    const sizes = (model: Model): readonly string[] =>
      model
        .describe()
        .split("\n")
        .slice(1, 1 + kinds[family].length);
    expect(sizes(file)).toEqual(sizes(plain));
    expect(file.describe()).toContain(`${2 * kinds[family].length} attentions found`);
    expect(file.causal).toBe(false);
  });

  it("gives the logits, patterns and values of Hugging Face transformers and of the safetensors", async () => {
    const capture = kinds[family].flatMap(({ path }) => [`${path}.v`, `${path}.z`]);
    const [run, other] = await both((model) => model.run(input(), { capture }));
    expect(maxAbsDiff(run.logits, at("logits"))).toBeLessThan(tolerance);
    for (const { path, recorded } of kinds[family]) {
      for (const layer of [0, 1]) {
        const block = path.replace("*", String(layer));
        const pattern = run.at(`${block}.pattern`);
        expect(maxAbsDiff(pattern, at(`${recorded}pattern.${layer}`)), block).toBeLessThan(tolerance);
        for (const part of ["pattern", "v", "z"]) {
          const address = `${block}.${part}`;
          expect(maxAbsDiff(run.at(address), other.at(address)), address).toBeLessThan(tolerance);
        }
      }
    }
    expect([run.tokens, run.decoderTokens]).toEqual([other.tokens, other.decoderTokens]);
    if (other.loss === undefined) expect(run.loss).toBeUndefined();
    else expect(run.loss).toBeCloseTo(other.loss, 4);
    expect(Object.keys(await run.bundle())).toContain(Object.keys(await other.bundle())[0]);
  });

  it.each(["zero", "mean"] as const)("loses heads as the safetensors do (%s)", async (mode) => {
    const whole = await file.run(input());
    for (const { stack } of kinds[family]) {
      const interventions = [{ ...(stack === undefined ? {} : { stack }), layer: 0, head: 2, mode }];
      const [run, other] = await both((model) => model.run(input(), { interventions }));
      expect(maxAbsDiff(run.logits, other.logits), stack).toBeLessThan(tolerance);
      expect(maxAbsDiff(run.logits, whole.logits), stack).toBeGreaterThan(1e-4);
    }
  });

  it("is not changed by what is captured", async () => {
    const capture = kinds[family].map(({ path }) => `${path}.scores`);
    const [run, all] = [await file.run(input()), await file.run(input(), { capture })];
    expect(maxAbsDiff(run.logits, all.logits)).toBe(0);
  });

  it("refuses what it cannot read", async () => {
    const wrong = family === "vit" ? { inputIds: [[1, 2]] } : { inputIds: [[1, 2]], decoderInputIds: [[3]] };
    const [own, other] = await Promise.all(
      [file, plain].map(async (model) => model.run(wrong).catch((error: unknown) => (error as Error).message)),
    );
    expect(own).toBe((other as string).replaceAll(plain.architecture, file.architecture));
  });
});

describe("a spoken text", () => {
  it("is written by an ONNX file as by the safetensors", async () => {
    const tensors = await readTensors(join(folder, "whisper", "io.safetensors"));
    const [file, plain] = await Promise.all([
      load(join(folder, "whisper", "fused.onnx")),
      load(join(folder, "whisper")),
    ]);
    const input = { inputFeatures: tensors.get("input_features")! };
    const [own, other] = [
      await file.generate(input, { maxNewTokens: 6 }),
      await plain.generate(input, { maxNewTokens: 6 }),
    ];
    expect(own.ids).toEqual(other.ids);
    expect(own.ids[0].length).toBe(6);
    await Promise.all([file.dispose(), plain.dispose()]);
  });
});
