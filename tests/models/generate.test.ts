import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Generation, Model } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { families } from "../../kernel/lib/models/index.js";
import { cachedReader } from "../../kernel/lib/models/keyValueCache.js";
import type { Text } from "../../kernel/lib/models/reader.js";
import { Tensor } from "../../kernel/lib/tensor/index.js";
import { generationMime, readGeneration } from "../../kernel/lib/views/index.js";
import { decoders, inputOf, maxAbsDiff, oracles, readOracle } from "./oracle.js";

/** Sums over keys of another order: float32 rounding. */
const tolerance = 5e-5;

function expectSame(cached: Generation, whole: Generation): void {
  expect(cached.ids).toEqual(whole.ids);
  cached.logits.forEach((logits, b) => expect(maxAbsDiff(logits, whole.logits[b])).toBeLessThan(tolerance));
  cached.patterns.forEach((steps, b) =>
    steps.forEach((pattern, step) => expect(maxAbsDiff(pattern, whole.patterns[b][step])).toBeLessThan(tolerance)),
  );
}

describe.each(decoders)("%s writes with a key-value cache", (name) => {
  it("what it writes without, with the attention of each new token", async () => {
    const oracle = await readOracle(name);
    const model = await load(oracle.folder);
    const options = { maxNewTokens: 8, patterns: true };
    const cached = await model.generate(inputOf(oracle), options);
    expectSame(cached, await model.generate(inputOf(oracle), { ...options, cache: false }));
    // The attention of a new token is the last row of a run of the text so far.
    const [prompt] = inputOf(oracle).inputIds;
    const mask = inputOf(oracle).attentionMask[0];
    const real = prompt.filter((_, t) => mask[t] === 1);
    const run = await model.run({ inputIds: [[...real, ...cached.ids[0].slice(0, 3)]] });
    const pattern = cached.patterns[0][3];
    expect(pattern.shape).toEqual([model.layers, model.heads, real.length + 3]);
    for (let layer = 0; layer < model.layers; layer++) {
      for (let head = 0; head < model.heads; head++) {
        const row = run.at(`blocks.${layer}.attn.pattern`).slice(0, head, real.length + 2);
        expect(maxAbsDiff(pattern.slice(layer, head), row)).toBeLessThan(tolerance);
      }
    }
    await model.dispose();
  });
});

it("a written text says by which model and how it was chosen", async () => {
  const model = await load((await readOracle("gpt2")).folder);
  const options = { maxNewTokens: 2, patterns: true, temperature: 0.5, topK: 4, seed: 7 };
  const bundle = await (await model.generate({ inputIds: [[1, 2, 3]] }, options)).bundle();
  const { provenance, grid } = readGeneration(bundle[generationMime]);
  const { modelHash, device } = await model.provenance();
  expect(modelHash).toMatch(/^[0-9a-f]{16}$/);
  expect(provenance).toMatchObject({ modelHash, device, temperature: 0.5, topK: 4, seed: 7 });
  expect(grid?.provenance).toEqual(provenance);
  await model.dispose();
});

describe("a key-value cache", () => {
  let root: string | undefined;
  afterEach(() => {
    if (root !== undefined) rmSync(root, { recursive: true });
    root = undefined;
  });

  /** A model whose config or generation config differs. */
  function changed(name: string, config: object, generation: object = {}): string {
    root ??= mkdtempSync(join(tmpdir(), "generate-"));
    const folder = join(root, name);
    cpSync(join(oracles, "models", name), folder, { recursive: true });
    for (const [file, changes] of Object.entries({ config, generation_config: generation })) {
      const path = join(folder, `${file}.json`);
      writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), ...changes }));
    }
    return folder;
  }

  const prompt = (length: number): number[] => Array.from({ length }, (_, i) => 5 + ((i * 7) % 50));

  it.each([
    ["longrope, past the original length", "phi3_long", {}, 5],
    ["dynamic, past the config's length", "llama_yarn", { max_position_embeddings: 8 }, 6],
  ])("follows rotary positions that change with the text: %s", async (_, name, config, length) => {
    const rope = { rope_type: "dynamic", rope_theta: 100, factor: 4 };
    const folder = changed(name, name === "phi3_long" ? config : { ...config, rope_parameters: rope });
    const model = await load(folder);
    const input = { inputIds: [prompt(length)] };
    const options = { maxNewTokens: 8, patterns: true };
    expectSame(await model.generate(input, options), await model.generate(input, { ...options, cache: false }));
    await model.dispose();
  });

  it("grows beyond its first room, with rows of different lengths", async () => {
    const model = await load(join(oracles, "models/llama_rope3"));
    const input = { inputIds: [prompt(62), prompt(3), prompt(64)] };
    const options = { maxNewTokens: 5, patterns: true };
    expectSame(await model.generate(input, options), await model.generate(input, { ...options, cache: false }));
    await model.dispose();
  });

  it("goes on with the open texts when others end", async () => {
    const free = await load(join(oracles, "models/mistral"));
    const input = { inputIds: [prompt(4), prompt(9), prompt(6)] };
    const { ids } = await free.generate(input, { maxNewTokens: 6 });
    await free.dispose();
    // The token that text 1 writes third ends it, unless another text wrote it before.
    const end = ids[1].find((id) => !ids[0].includes(id))!;
    const model = await load(changed("mistral", {}, { eos_token_id: end }));
    const cached = await model.generate(input, { maxNewTokens: 6 });
    expectSame(cached, await model.generate(input, { maxNewTokens: 6, cache: false }));
    expect(cached.ids[1]).toEqual(ids[1].slice(0, ids[1].indexOf(end) + 1));
    expect(cached.ids[0]).toEqual(ids[0]);
    await model.dispose();
  });

  it("feeds one token for each text once the prompts are read", async () => {
    const json = JSON.parse(readFileSync(join(oracles, "models/llama_yarn/config.json"), "utf8")) as object;
    const family = families.find(({ name }) => name === "llama")!;
    const blueprint = family.open("LlamaForCausalLM", json as Record<string, unknown>);
    const seen: Record<string, readonly number[]>[] = [];
    const read = cachedReader(
      blueprint,
      async (feeds, wanted) => {
        seen.push(Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape])));
        const [batch, fresh] = feeds["input_ids"].shape;
        const shapeOf = (name: string): number[] => (name === "logits" ? [batch, 1, 67] : [batch, 2, fresh, 8]);
        const empty = (shape: number[]): Tensor =>
          new Tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b)));
        return Promise.resolve(Object.fromEntries(wanted.map((name) => [name, empty(shapeOf(name))])));
      },
      false,
    );
    const texts = (lengths: number[]): Text[] => lengths.map((length, i) => ({ prompt: i, ids: prompt(length) }));
    await read(texts([5, 3]));
    await read(texts([6, 4]));
    await read(texts([7, 5]).slice(1));
    expect(seen.map(({ input_ids }) => input_ids)).toEqual([
      [2, 5],
      [2, 1],
      [1, 1],
    ]);
    expect(seen.map((shapes) => shapes["past_keys.2"])).toEqual([
      [2, 2, 0, 8],
      [2, 2, 64, 8],
      [1, 2, 64, 8],
    ]);
    expect(seen.map(({ attention_mask }) => attention_mask[1])).toEqual([5, 65, 65]);
  });
});

describe("writing", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load(join(oracles, "models/gpt2"));
  });
  afterAll(() => model.dispose());

  it("stops at an interrupt between tokens, and starts anew afterwards", async () => {
    const controller = new AbortController();
    const input = { inputIds: [[5, 6, 7]] };
    let count = 0;
    const onToken = (): void => {
      if (++count === 2) controller.abort(new Error("enough"));
    };
    const stopped = model.generate(input, { maxNewTokens: 8, onToken, signal: controller.signal });
    await expect(stopped).rejects.toThrow("enough");
    expect(count).toBe(2);
    expect((await model.generate(input, { maxNewTokens: 4 })).ids[0].length).toBe(4);
  });

  it("keeps no attention unless asked", async () => {
    const { patterns } = await model.generate({ inputIds: [[5, 6], [7]] }, { maxNewTokens: 2 });
    expect(patterns).toEqual([[], []]);
  });
});
