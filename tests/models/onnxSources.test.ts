import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Run } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { mixError, rowSumError } from "../../kernel/lib/models/onnx/proof.js";
import { inputOf, maxAbsDiff, oracles, readTensors } from "./oracle.js";

const bert = join(oracles, "files", "bert");
let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "onnx-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const refusal = async (path: string): Promise<string> => {
  const failure: unknown = await load(path).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  return `${(failure as Error).name}: ${(failure as Error).message}`;
};

async function runOf(path: string): Promise<Run> {
  const model = await load(path);
  const run = await model.run({ inputIds: [[5, 6, 7, 8]] }, { capture: ["blocks.*.attn.v", "blocks.*.attn.z"] });
  await model.dispose();
  return run;
}

describe("an ONNX file", () => {
  it("is found in a folder by its usual names, described by the folder's config", async () => {
    const whole = await runOf(join(bert, "dynamo.onnx"));
    for (const name of ["model.onnx", "onnx/model.onnx"]) {
      const below = join(folder, name.replace("/", "-"));
      mkdirSync(join(below, "onnx"), { recursive: true });
      copyFileSync(join(bert, "config.json"), join(below, "config.json"));
      copyFileSync(join(bert, "dynamo.onnx"), join(below, name));
      const model = await load(below);
      expect(model.positions).toBe(24);
      const { logits } = await model.run({ inputIds: [[5, 6, 7, 8]] });
      expect(logits.data).toEqual(whole.logits.data);
      await model.dispose();
    }
  });

  it("with quantised weights runs as it is, its attentions open", async () => {
    const recorded = await readTensors(join(bert, "io.safetensors"));
    const model = await load(join(bert, "int8.onnx"));
    const input = inputOf({ folder, tensors: recorded, at: (key) => recorded.get(key)!, ablated: [] });
    const capture = ["blocks.*.attn.v", "blocks.*.attn.z"];
    const [run, bare] = [await model.run(input, { capture }), await model.run(input, { patterns: false })];
    for (let layer = 0; layer < 2; layer++) {
      const at = (part: string): ReturnType<Run["at"]> => run.at(`blocks.${layer}.attn.${part}`);
      expect(rowSumError(at("pattern"))).toBeLessThan(1e-6);
      expect(mixError(at("pattern"), at("v"), at("z"))).toBeLessThan(1e-5);
      // Eight bits of weights, nothing more.
      expect(maxAbsDiff(at("pattern"), recorded.get(`pattern.${layer}`)!)).toBeLessThan(0.1);
    }
    expect(maxAbsDiff(run.logits, bare.logits)).toBe(0);
    await model.dispose();
  });

  it("is refused when it breaks off, or is none", async () => {
    const bytes = readFileSync(join(bert, "dynamo.onnx"));
    for (const [name, held] of [
      ["half", bytes.subarray(0, bytes.length / 2)],
      ["text", Buffer.from("This is not a model, whatever its name says.")],
      ["empty", Buffer.alloc(0)],
    ] as const) {
      writeFileSync(join(folder, `${name}.onnx`), held);
      expect(await refusal(join(folder, `${name}.onnx`)), name).toMatch(
        /^FormatError: onnx .*(not a whole ONNX file|holds no graph|not an ONNX file)/,
      );
    }
    expect(await refusal(join(folder, "absent.onnx"))).toMatch(/^FormatError: load: no folder/);
  });

  it("is refused, never a crash, whatever bytes are broken", async () => {
    const bytes = readFileSync(join(bert, "dynamo.onnx"));
    for (let round = 0; round < 12; round++) {
      const broken = Buffer.from(bytes);
      for (let i = 0; i < 40; i++) broken[(round * 7919 + i * 104_729) % 4000] = (round * 31 + i * 17) % 256;
      writeFileSync(join(folder, "broken.onnx"), broken);
      expect(await refusal(join(folder, "broken.onnx"))).toMatch(/^(FormatError|UnsupportedError|EngineError): /);
    }
  });

  it("is refused with the reason when it has no attention, or an input that is not fed", async () => {
    const onnx = join(oracles, "onnx");
    expect(await refusal(join(onnx, "softmax_axis_1.onnx"))).toMatch(
      /^UnsupportedError: onnx .*: input "x" of rank 3 is not one that is fed; known: input_ids/,
    );
  });

  it("names the files to choose from when a folder holds several", async () => {
    for (const name of ["a.onnx", "b.onnx"]) copyFileSync(join(bert, "dynamo.onnx"), join(folder, name));
    expect(await refusal(folder)).toContain("several ONNX files, name one of them: a.onnx, b.onnx");
  });
});
