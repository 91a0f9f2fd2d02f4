import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compiled, Engine, Value } from "../../kernel/lib/graph/index.js";
import { activationBytes, bindFeeds, bindShape, programOf } from "../../kernel/lib/graph/index.js";
import { leavesOf } from "../../kernel/lib/graph/loop.js";
import { linearise } from "../../kernel/lib/graph/order.js";
import type { Model, ModelInput } from "../../kernel/lib/index.js";
import { encodeSafetensors, load, probes, random, sinks } from "../../kernel/lib/index.js";
import { Model as ModelClass } from "../../kernel/lib/models/index.js";
import type { Tensor as AnyTensor } from "../../kernel/lib/tensor/index.js";
import { allocate, sizeOf, Tensor } from "../../kernel/lib/tensor/index.js";

const [width, heads, positions, vocabulary] = [16, 8, 8192, 50];

type Tensors = Readonly<Record<string, AnyTensor>>;

/** A GPT-2 of one layer and random weights that takes long prompts. */
function writeModel(folder: string): void {
  const stream = random(5);
  const normal = (...shape: readonly number[]): AnyTensor => stream.normal(shape);
  const sizes = { "attn.c_attn": 3 * width, "attn.c_proj": width, "mlp.c_fc": 4 * width, "mlp.c_proj": width };
  const products = Object.entries(sizes).flatMap(([name, size]) => [
    [`h.0.${name}.weight`, normal(name === "mlp.c_proj" ? 4 * width : width, size)] as const,
    [`h.0.${name}.bias`, normal(size)] as const,
  ]);
  const norms = ["h.0.ln_1", "h.0.ln_2", "ln_f"].flatMap((name) => [
    [`${name}.weight`, normal(width)] as const,
    [`${name}.bias`, normal(width)] as const,
  ]);
  const tensors = Object.fromEntries([...products, ...norms]);
  const embeddings = { "wte.weight": normal(vocabulary, width), "wpe.weight": normal(positions, width) };
  const config = {
    ...{ architectures: ["GPT2LMHeadModel"], model_type: "gpt2", n_embd: width, n_head: heads, n_layer: 1 },
    ...{ n_positions: positions, vocab_size: vocabulary },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors({ ...embeddings, ...tensors }, { format: "pt" }));
}

const promptOf = (length: number): ModelInput => ({
  inputIds: [Array.from({ length }, (_, t) => (7 * t + (t >> 3)) % vocabulary)],
});

/** The most bytes that the results of a graph take at once, with those in the body of a loop. */
function peakOf(given: Readonly<Record<string, Value>>, sizes: Readonly<Record<string, number>>): number {
  const program = programOf(given);
  const bodies = [...new Set(program.values.flatMap(({ loop }) => loop ?? []))].map((loop) => {
    const values = linearise([...loop.next, ...loop.collect], new Set(leavesOf(loop)));
    return activationBytes({ values, inputs: [], outputs: {} }, sizes);
  });
  return activationBytes(program, sizes) + Math.max(0, ...bodies);
}

/** An engine that computes nothing: all results are 0. It notes how much memory each run would take. */
function dryEngine(): Engine & { readonly noted: { peak: number; runs: number } } {
  const noted = { peak: 0, runs: 0 };
  const compile: Engine["compile"] = (outputs) => {
    const { inputs } = programOf(outputs);
    const run = (feeds: Tensors, names: readonly string[] = Object.keys(outputs)): Promise<Tensors> => {
      const sizes = bindFeeds(inputs, feeds);
      const fed = Object.values(feeds).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      noted.peak = Math.max(noted.peak, fed + peakOf(outputs, sizes));
      noted.runs++;
      const zeros = names.map((name) => {
        const shape = bindShape("dry", outputs[name].shape, sizes);
        return [name, new Tensor(outputs[name].dtype, shape, allocate(outputs[name].dtype, sizeOf(shape)))];
      });
      return Promise.resolve(Object.fromEntries(zeros) as Tensors);
    };
    const carry: Compiled["carry"] = (_, first, { kept = {} } = {}) =>
      Promise.resolve({
        run: (feeds, names) => run({ ...first, ...kept, ...feeds }, names),
        read: () => Promise.resolve(first),
        end: (wanted) => Promise.resolve(Object.fromEntries(wanted.map((name) => [name, kept[name]]))),
        dispose: () => Promise.resolve(),
      });
    const dispose = (): Promise<void> => Promise.resolve();
    return Promise.resolve({ key: "", inputs, outputs: Object.keys(outputs), run, carry, dispose });
  };
  return { device: "cpu", dtype: "float32", compile, noted };
}

describe("a long prompt", () => {
  const folder = mkdtempSync(join(tmpdir(), "long-prompts-"));
  let model: Model;
  beforeAll(async () => {
    writeModel(folder);
    model = await load(folder);
  });
  afterAll(async () => {
    await model.dispose();
    rmSync(folder, { recursive: true });
  });

  const measured = [probes.massPerKey(), probes.rowEntropy(), probes.columnEntropy(), probes.distance()];

  it("that goes piece by piece gives what it gives in one, and says how far it is", async () => {
    const whole = await model.run(promptOf(300), { probes: measured, capture: ["blocks.0.attn.z"] });
    const shares: number[] = [];
    const pieces = await model.run(promptOf(300), {
      ...{ probes: measured, capture: ["blocks.0.attn.z"], queriesPerBlock: 32 },
      onProgress: (share) => shares.push(share),
    });
    expect(shares.length).toBeGreaterThan(2);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBeCloseTo(1, 9);
    const compared: readonly (readonly [AnyTensor, AnyTensor])[] = [
      ...measured.map(({ name }) => [pieces.probe(name), whole.probe(name)] as const),
      ...whole.addresses.map((address) => [pieces.at(address), whole.at(address)] as const),
    ];
    for (const [a, b] of compared) {
      expect(a.shape).toEqual(b.shape);
      const wanted = b.numbers();
      const worst = a.numbers().map((x, i) => Math.abs(x - wanted[i]) / Math.max(1, Math.abs(wanted[i])));
      expect(worst.reduce((most, x) => Math.max(most, x), 0)).toBeLessThan(1e-5);
    }
  });

  it("hands activations over as they come, and keeps none of them", async () => {
    const capture = ["blocks.0.resid_pre", "blocks.0.attn.z", "blocks.*.resid_post"];
    const probes = measured.slice(0, 1);
    const kept = await model.run(promptOf(300), { probes, capture, patterns: false, outputs: false });
    for (const queriesPerBlock of [32, Infinity]) {
      const told: (readonly [string, number])[] = [];
      let share = 0;
      const run = await model.run(promptOf(300), {
        ...{ probes, capture, queriesPerBlock, patterns: false, outputs: false },
        onProgress: (done) => (share = done),
        onCapture: (address, activation) => {
          told.push([address, share]);
          const [found, wanted] = [activation.numbers(), kept.at(address).numbers()];
          expect(activation.shape).toEqual(kept.at(address).shape);
          expect(found.reduce((most, x, i) => Math.max(most, Math.abs(x - wanted[i])), 0)).toBeLessThan(1e-4);
        },
      });
      expect(told.map(([address]) => address).toSorted()).toEqual(kept.addresses.toSorted());
      const shares = Object.fromEntries(told);
      // What the first block reads is handed over before it is read, where the run goes piece by piece.
      if (queriesPerBlock === 32) expect(shares["blocks.0.resid_pre"]).toBeLessThan(shares["blocks.0.resid_post"]);
      expect(run.addresses).toEqual([]);
      expect(() => run.at("blocks.0.attn.z")).toThrow(/was not captured/);
      expect(run.probe("massPerKey").shape).toEqual(kept.probe("massPerKey").shape);
    }
  });

  it("that fails where its activations are read fails as a whole", async () => {
    const onCapture = (): void => {
      throw new Error("cannot read that");
    };
    for (const queriesPerBlock of [32, Infinity]) {
      const options = { probes: measured, capture: ["blocks.0.attn.z"], patterns: false, queriesPerBlock };
      const run = model.run(promptOf(300), { ...options, onProgress: () => undefined, onCapture });
      await expect(run).rejects.toThrow("cannot read that");
    }
    const plain = model.run(promptOf(20), { capture: ["blocks.0.attn.z"], onCapture });
    await expect(plain).rejects.toThrow("cannot read that");
  });

  it("stops when it is interrupted, and the model goes on", async () => {
    const controller = new AbortController();
    const shares: number[] = [];
    const onProgress = (share: number): void => {
      shares.push(share);
      controller.abort(new Error("enough"));
    };
    const { signal } = controller;
    const run = model.run(promptOf(300), { probes: measured, patterns: false, queriesPerBlock: 8, onProgress, signal });
    await expect(run).rejects.toThrow("enough");
    expect(shares.length).toBe(1);
    expect(shares[0]).toBeLessThan(1);
    const after = await model.run(promptOf(20), { probes: measured });
    expect(after.probe("massPerKey").numbers().every(Number.isFinite)).toBe(true);
  });

  it("takes memory for its sinks that grows with its length, where patterns as a whole grow with its square", async () => {
    const peakAt = async (measure: (dry: Model) => Promise<unknown>): Promise<number> => {
      const engine = dryEngine();
      const dry = new ModelClass({ ...model.parts(), engine });
      await measure(dry);
      expect(engine.noted.runs).toBeGreaterThan(0);
      return engine.noted.peak;
    };
    const ofSinks = async (length: number) => peakAt(async (dry) => sinks(dry, promptOf(length)));
    const ofPatterns = async (length: number) =>
      peakAt(async (dry) =>
        dry.run(promptOf(length), { patterns: false, outputs: false, probes: measured, queriesPerBlock: Infinity }),
      );
    expect((await ofSinks(8192)) / (await ofSinks(4096))).toBeLessThan(2.05);
    expect((await ofPatterns(2048)) / (await ofPatterns(1024))).toBeGreaterThan(3.8);
  });

  it("tells how far the sinks of a prompt are, as a fraction of it", async () => {
    const dry = new ModelClass({ ...model.parts(), engine: dryEngine() });
    const told: number[] = [];
    await sinks(dry, promptOf(4096), { onProgress: (done) => told.push(done) });
    expect(told.length).toBeGreaterThan(2);
    expect(told.slice(0, -2).every((done) => done > 0 && done < 1)).toBe(true);
    expect(told.at(-1)).toBe(1);
  });
});
