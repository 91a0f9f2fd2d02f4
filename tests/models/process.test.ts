import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { LoadOptions, Model, Run, Tensor } from "../../kernel/lib/index.js";
import { load, save } from "../../kernel/lib/index.js";
import { anyInputOf, maxAbsDiff, oracles, readOracle, shareDiff } from "./oracle.js";

/** Products in another order: float32 rounding. */
const tolerance = 5e-5;

type Process = NonNullable<LoadOptions["process"]>;

const opened: Model[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.dispose();
});

async function runsOf(
  name: string,
  process: Process,
  ...kept: RegExp[]
): Promise<readonly [plain: Run, processed: Run]> {
  const oracle = await readOracle(name);
  const models = [await load(oracle.folder), await load(oracle.folder, { process })];
  opened.push(...models);
  const capture = models[0].addresses.filter((address) => kept.some((part) => part.test(address)));
  const [plain, processed] = await Promise.all(
    models.map((model) => model.run(anyInputOf(oracle), { capture, patterns: true })),
  );
  return [plain, processed];
}

/** Rows along the last axis. */
function rowsOf({ shape, data }: Tensor): Float64Array[] {
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, row) =>
    Float64Array.from(data.subarray(row * width, (row + 1) * width), Number),
  );
}

const mean = (row: Float64Array): number => row.reduce((sum, x) => sum + x, 0) / row.length;
const power = (row: Float64Array): number => mean(row.map((x) => x * x));
const largest = (values: readonly number[]): number => values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);

/** What a reader of the run takes as its answer: outputs that end in predictions. */
const predictions = (run: Run): readonly string[] => run.addresses.filter((address) => /^logits|embeds$/.test(address));

const rootMeanSquare = [
  "llama_rope3", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "mixtral", "granite", "t5", "t5_gated",
]; // prettier-ignore
const layerNorms = [
  "gpt2", "gpt_neo", "gpt_neox", "opt", "bloom", "falcon", "falcon_new", "falcon_alibi", "phi", "stablelm",
  "stablelm_parallel", "modernbert", "mbart", "pegasus", "whisper", "vit", "clip", "llava",
]; // prettier-ignore

describe.each([...rootMeanSquare, ...layerNorms])("folding the norms of %s", (name) => {
  it("leaves predictions and patterns as they are, and the norms without scale and bias", async () => {
    const normalized = /\bln\d\.normalized$/;
    const [plain, folded] = await runsOf(name, { foldLayerNorm: true }, normalized);
    expect(predictions(plain).length).toBeGreaterThan(0);
    for (const address of plain.addresses.filter((each) => !normalized.test(each) && !/hidden_state/.test(each))) {
      const share = shareDiff(folded.at(address).numbers(), plain.at(address).numbers());
      expect(Math.min(share, maxAbsDiff(folded.at(address), plain.at(address))), address).toBeLessThan(tolerance);
    }
    // A norm without weights: rows of power 1, and of mean 0 where it is a layer norm. ModernBERT's first block has none.
    const own = plain.addresses.filter(
      (each) => normalized.test(each) && !(name === "modernbert" && /\.0\.ln1/.test(each)),
    );
    for (const address of own) {
      const rows = rowsOf(folded.at(address));
      expect(largest(rows.map((row) => power(row) - 1)), address).toBeLessThan(2e-2);
      if (layerNorms.includes(name) && name !== "llava") expect(largest(rows.map(mean)), address).toBeLessThan(1e-5);
    }
    expect(own.some((address) => largest(rowsOf(plain.at(address)).map((row) => power(row) - 1)) > 2e-2)).toBe(true);
  });
});

describe.each([
  ...["gpt2", "gpt_neo", "gpt_neox", "opt", "falcon", "falcon_new", "falcon_alibi", "phi", "stablelm"],
  ...["stablelm_parallel", "olmo"],
])("centring what writes to the stream of %s", (name) => {
  it("leaves predictions as they are, and the stream without a mean", async () => {
    const stream = /\bresid_(pre|mid|post)$/;
    const [plain, centred] = await runsOf(name, { centreWritingWeights: true }, stream);
    expect(maxAbsDiff(centred.logits, plain.logits)).toBeLessThan(tolerance);
    const own = plain.addresses.filter((address) => stream.test(address));
    for (const address of own) expect(largest(rowsOf(centred.at(address)).map(mean)), address).toBeLessThan(1e-5);
    expect(own.every((address) => largest(rowsOf(plain.at(address)).map(mean)) > 1e-2)).toBe(true);
  });
});

describe.each([
  "gpt2",
  "gpt_neox",
  "phi",
  "llama_rope3",
  "falcon",
  "granite",
  "bart",
  "marian",
  "t5",
  "whisper",
  "llava",
])("centring the unembedding of %s", (name) => {
  it("leaves log-probabilities as they are, and logits without a mean", async () => {
    const [plain, centred] = await runsOf(name, { centreUnembedding: true });
    expect(maxAbsDiff(centred.logProbs, plain.logProbs)).toBeLessThan(tolerance);
    expect(largest(rowsOf(centred.logits).map(mean))).toBeLessThan(1e-5);
    expect(largest(rowsOf(plain.logits).map(mean))).toBeGreaterThan(1e-2);
  });
});

describe("processed models", () => {
  const all = { foldLayerNorm: true, centreWritingWeights: true, centreUnembedding: true };

  it("may have all three at once, write the same text, and say so", async () => {
    const oracle = await readOracle("gpt2");
    const models = [await load(oracle.folder), await load(oracle.folder, { process: all })];
    opened.push(...models);
    const [plain, processed] = models;
    const input = anyInputOf(oracle);
    const runs = await Promise.all(models.map((model) => model.run(input)));
    expect(maxAbsDiff(runs[0].logProbs, runs[1].logProbs)).toBeLessThan(tolerance);
    const texts = await Promise.all(models.map((model) => model.generate(input, { maxNewTokens: 6 })));
    expect(texts[1].ids).toEqual(texts[0].ids);
    const said = "foldLayerNorm: 7 of 7 norms; centreWritingWeights: 14 weights; centreUnembedding";
    expect(JSON.stringify(await runs[1].bundle())).toContain(said);
    expect(JSON.stringify(await runs[0].bundle())).not.toContain("foldLayerNorm");
    expect(processed.describe()).toContain("foldLayerNorm: 7 of 7 norms");
    expect(plain.describe()).not.toContain("foldLayerNorm");
    // Its config would be read with the weights as they were.
    const folder = join(tmpdir(), `processed-${process.pid}`);
    await expect(save(processed, folder)).rejects.toThrow("gpt2 has processed weights; load it without { process }");
    expect(existsSync(folder)).toBe(false);
  });

  it.each<[string, Process, string]>([
    ["bert", { foldLayerNorm: true }, "bert has no norm with weights before what attention and MLP read"],
    ["distilbert", { foldLayerNorm: true }, "has no norm with weights before"],
    ["roberta", { foldLayerNorm: true }, "has no norm with weights before"],
    ["deberta_v2", { foldLayerNorm: true }, "has no norm with weights before"],
    ["bart", { foldLayerNorm: true }, "has no norm with weights before"],
    ["olmo", { foldLayerNorm: true }, "has no norm with weights before"],
    ["olmo2", { foldLayerNorm: true }, "has no norm with weights before"],
    ["gpt_oss", { foldLayerNorm: true }, '"blocks.0.ln2.normalized" is read by more than products'],
    ["bert", { centreWritingWeights: true }, "no norm stands before what attention and MLP read"],
    ["llama_rope3", { centreWritingWeights: true }, "does not take the mean of the stream away"],
    ["bloom", { centreWritingWeights: true }, '"blocks.0.resid_pre" writes to the stream, and has no weight to centre'],
    ["gemma2", { centreUnembedding: true }, "its logits are not one product with a matrix of the model"],
    ["bert_model", { centreUnembedding: true }, "its logits are not one product"],
  ])("are refused where predictions would change: %s, %o", async (name, process, reason) => {
    const { folder } = await readOracle(name);
    await expect(load(folder, { process })).rejects.toThrow(reason);
  });

  it("are refused on wrong options, and for ONNX files", async () => {
    const { folder } = await readOracle("gpt2");
    await expect(load(folder, { process: { foldLayerNorms: true } as Process })).rejects.toThrow(
      'process: unknown option "foldLayerNorms"; did you mean "foldLayerNorm"?',
    );
    await expect(load(folder, { process: { foldLayerNorm: 1 } as unknown as Process })).rejects.toThrow(
      "process: foldLayerNorm must be true or false, got 1",
    );
    const file = join(oracles, "files/gpt2/script.onnx");
    await expect(load(file, { process: all })).rejects.toThrow("the weights of an ONNX file cannot be processed");
  });
});
