import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Model, TransformerOptions } from "../../kernel/lib/index.js";
import {
  adam,
  interventions,
  load,
  mechanisms,
  random,
  save,
  stateNumbers,
  tasks,
  Tensor,
  train,
  transformer,
} from "../../kernel/lib/index.js";
import { headWeights } from "../../kernel/lib/analyses/parts/headWeights.js";
import { weightsOf, withWeights } from "../../kernel/lib/training/index.js";
import { exactLogits, near, slopes } from "./exact.js";

const folder = mkdtempSync(join(tmpdir(), "attention-lab-queries-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const task = tasks.copying({ vocabulary: 6, period: 4 });
const small: TransformerOptions = {
  ...{ layers: 2, heads: 4, width: 8, vocabulary: task.vocabulary, length: task.length, mlpWidth: 16 },
};
const inputIds = [task.row(0).ids.map(Number), task.row(1).ids.map(Number)];

const learns = async (model: Model): Promise<Model> => {
  const options = { steps: 30, batchSize: 8, testRows: 0, optimiser: adam({ rate: 1e-2 }) };
  const { fit, model: trained } = await train(model, task, options);
  expect(fit.recent("loss", 3)).toBeLessThan(fit.losses[0]);
  return trained;
};

const comesBack = async (model: Model, name: string): Promise<void> => {
  const place = join(folder, name);
  await save(model, place);
  const again = await load(place);
  expect((await again.run({ inputIds })).logits.data).toEqual((await model.run({ inputIds })).logits.data);
};

describe("separate numbers of key and value heads (DiffQKV)", () => {
  it("with each head's own copy of what it shares, it is attention of many heads", async () => {
    const capture = ["q", "k", "v", "pattern"].map((part) => `blocks.1.attn.${part}`);
    const shared = await transformer({ ...small, kvHeads: 1, valueHeads: 2 });
    const full = await transformer(small);
    const weights = await weightsOf(shared);
    const headDim = 2;
    // Where each column of q, k and v of four heads stands among those of 4 + 1 + 2 heads.
    const columns = [
      ...[0, 1, 2, 3], // q
      ...[4, 4, 4, 4], // k
      ...[5, 5, 6, 6], // v
    ].flatMap((head) => [head * headDim, head * headDim + 1]);
    const spread = Object.entries(weights).map(([name, tensor]) => {
      if (!name.includes("attn.qkv")) return [name, tensor] as const;
      const rows = tensor.shape.length === 2 ? tensor.shape[0] : 1;
      const width = tensor.shape.at(-1)!;
      const data = Array.from({ length: rows }, (_, r) => columns.map((c) => tensor.data[r * width + c])).flat();
      const shape = tensor.shape.length === 2 ? [rows, columns.length] : [columns.length];
      return [name, new Tensor("float32", shape, Float32Array.from(data))] as const;
    });
    const copied = withWeights(full, Object.fromEntries(spread));
    const [a, b] = [await shared.run({ inputIds }, { capture }), await copied.run({ inputIds }, { capture })];
    near(a.logits, b.logits);
    near(a.at("blocks.1.attn.pattern"), b.at("blocks.1.attn.pattern"));
    expect(["q", "k", "v"].map((part) => a.at(`blocks.1.attn.${part}`).shape[1])).toEqual([4, 1, 2]);
    const [own, same] = [await headWeights(shared, 1, "raw", {}), await headWeights(copied, 1, "raw", {})];
    for (const part of ["q", "k", "v", "o"] as const) near(own[part], same[part]);
    expect(shared.describe()).toContain("4 heads (1 of keys, 2 of values) of 2");
  });

  it("learns along its gradients, comes back from its file, and refuses what does not divide", async () => {
    const model = await transformer({ ...small, kvHeads: 4, valueHeads: 1 });
    const [along, measured] = slopes(model, await weightsOf(model), inputIds[0]);
    expect(Math.abs(along / measured - 1)).toBeLessThan(1e-6);
    await comesBack(await learns(model), "values");
    await expect(transformer({ ...small, valueHeads: 3 })).rejects.toThrow(
      "heads must be a multiple of valueHeads, got 4 and 3",
    );
  });
});

describe("augmented queries (DiffQKV)", () => {
  const width = 8;
  const options = { ...small, layers: 1, kvHeads: 1, valueHeads: 2 } as const;
  const eye = (scale: number): Tensor<"float32"> =>
    new Tensor("float32", [width, width], Float32Array.from({ length: width ** 2 }, (_, i) => (i % (width + 1) === 0 ? scale : 0))); // prettier-ignore
  const filled = (value: number, ...shape: number[]): Tensor<"float32"> =>
    new Tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value));

  it("behind a gate that is open to the same width everywhere, they are the queries themselves", async () => {
    const plain = await transformer(options);
    const more = await transformer({ ...options, queryWidth: width });
    const shared = await weightsOf(plain);
    const open = 1 / (1 + Math.exp(-1)); // silu(1)
    const identity = {
      "blocks.0.attn.query.gate.weight": filled(0, width, width),
      "blocks.0.attn.query.gate.bias": filled(1, width),
      "blocks.0.attn.query.up.weight": eye(1),
      "blocks.0.attn.query.down.weight": eye(1 / open),
    };
    const same = { ...(await weightsOf(more)), ...shared, ...identity };
    near(exactLogits(more, same, inputIds[0]), exactLogits(plain, shared, inputIds[0]), 1e-6);
    expect(Object.keys(await weightsOf(more)).length - Object.keys(shared).length).toBe(6);
  });

  it("every query is down(silu(gate(q)) ⊙ up(q)), before it is turned", async () => {
    const turned = { ...options, positions: "rotary" } as const;
    const [plain, more] = [await transformer(turned), await transformer({ ...turned, queryWidth: 12 })];
    const capture = ["blocks.0.attn.q", "blocks.0.attn.k", "blocks.0.attn.rot_q"];
    const [before, after] = [await plain.run({ inputIds }, { capture }), await more.run({ inputIds }, { capture })];
    const weights = await weightsOf(more);
    const through = (row: readonly number[], part: string): number[] => {
      const [w, b] = ["weight", "bias"].map((kind) => weights[`blocks.0.attn.query.${part}.${kind}`].numbers());
      return Array.from(b, (bias, c) => row.reduce((sum, x, r) => sum + x * w[r * b.length + c], bias));
    };
    // [1,H,T,D]: what token t asks, head after head.
    const asked = (at: Tensor, t: number): number[] => [0, 1, 2, 3].flatMap((h) => [...at.slice(0, h, t).numbers()]);
    for (const t of [0, 3, 7]) {
      const q = asked(before.at("blocks.0.attn.q"), t);
      const up = through(q, "up");
      const hidden = through(q, "gate").map((x, i) => (x / (1 + Math.exp(-x))) * up[i]);
      const found = asked(after.at("blocks.0.attn.q"), t);
      through(hidden, "down").forEach((x, i) => expect(Math.abs(x - found[i])).toBeLessThan(1e-5));
    }
    near(after.at("blocks.0.attn.k"), before.at("blocks.0.attn.k"));
    expect(after.at("blocks.0.attn.rot_q").data).not.toEqual(after.at("blocks.0.attn.q").data);
  });

  it("learns along its gradients, comes back from its file, and has no matrix of queries", async () => {
    const model = await transformer({ ...options, queryWidth: 12 });
    const [along, measured] = slopes(model, await weightsOf(model), inputIds[0]);
    expect(Math.abs(along / measured - 1)).toBeLessThan(1e-6);
    await comesBack(await learns(model), "augmented");
    await expect(headWeights(model, 0, "raw", {})).rejects.toThrow("layer 0 has no weights of q of its own");
    await expect(transformer({ ...options, queryWidth: -1 })).rejects.toThrow("queryWidth must be a whole number");
  });

  it("Sigma-1.5B holds 37.5 % fewer numbers per token than grouped queries of 16 heads (eq. 1–2)", () => {
    const sizes = { batch: 1, heads: 32, queries: 1, keys: 1000, headDim: 64, valueDim: 64 };
    const [sigma, grouped] = [4, 16].map((keyHeads) => stateNumbers(mechanisms.softmax, { ...sizes, keyHeads, valueHeads: 16 })!); // prettier-ignore
    expect(sigma).toBe(1000 * 64 * (4 + 16));
    expect(1 - sigma / grouped).toBe(0.375);
  });
});

describe("what queries and keys are made of (Deconstructing Attention)", () => {
  it("embeddings: the first layer is as ever, and no layer writes what a later one asks by", async () => {
    const plain = await transformer({ ...small, layers: 1 });
    const first = await transformer({ ...small, layers: 1, queriesFrom: "embeddings" });
    near((await first.run({ inputIds })).logits, (await plain.run({ inputIds })).logits);
    const [address, v] = ["blocks.1.attn.pattern", "blocks.1.attn.v"];
    for (const [source, stays] of [
      ["embeddings", true],
      ["stream", false],
    ] as const) {
      // prettier-ignore
      const model = await transformer({ ...small, queriesFrom: ["stream", source] });
      const run = await model.run({ inputIds }, { capture: [address, v] });
      const edited = await model.run({ inputIds }, { capture: [address, v], interventions: [interventions.zeroZ({ layer: 0 })] }); // prettier-ignore
      expect(
        run
          .at(address)
          .numbers()
          .every((x, i) => x === edited.at(address).numbers()[i]),
      ).toBe(stays);
      expect(run.at(v).data).not.toEqual(edited.at(v).data);
    }
  });

  it("random: a token asks alike wherever it stands; with those vectors as embeddings it is the stream", async () => {
    const model = await transformer({ ...small, queriesFrom: "random" });
    const ids = [3, 1, 3, 2, 1, 3, 0, 2];
    const q = (await model.run({ inputIds: [ids] }, { capture: ["blocks.1.attn.q"] })).at("blocks.1.attn.q");
    const vector = (t: number): number[] => Array.from(q.slice(0, 0, t).numbers());
    ids.forEach((id, t) => expect(vector(t)).toEqual(vector(ids.indexOf(id))));
    expect(vector(0)).not.toEqual(vector(1));

    const bare = { ...small, positions: "none", layers: 1 } as const;
    const [drawn, stream] = [await transformer({ ...bare, queriesFrom: "random" }), await transformer(bare)];
    const vectors = random(0).fork("queries").normal([task.vocabulary.length, 8]) as Tensor<"float32">;
    const embedded = withWeights(stream, { ...(await weightsOf(stream)), "embed.weight": vectors });
    const [a, b] = [await drawn.run({ inputIds }), await embedded.run({ inputIds })];
    near(a.at("blocks.0.attn.pattern"), b.at("blocks.0.attn.pattern"));
  });

  it("text: a prompt that is the fixed text itself is read as ever; another one by the same patterns", async () => {
    const fixedIds = inputIds[0];
    const [plain, fixed] = [await transformer(small), await transformer({ ...small, queriesFrom: "text", fixedIds })];
    const capture = [0, 1].map((layer) => `blocks.${layer}.attn.pattern`);
    const [usual, own] = [await plain.run({ inputIds }, { capture }), await fixed.run({ inputIds }, { capture })];
    near(own.logits.slice(0), usual.logits.slice(0));
    for (const address of capture) {
      near(own.at(address).slice(1), own.at(address).slice(0), 1e-7);
      near(own.at(address).slice(1), usual.at(address).slice(0));
    }
    expect(own.logits.slice(1).data).not.toEqual(usual.logits.slice(1).data);
  });

  it("noise: patterns of every layer are those of a text whose embeddings are the drawn vectors", async () => {
    const vocabulary = task.length;
    const bare = { ...small, vocabulary, positions: "none" } as const;
    const [plain, noise] = [await transformer(bare), await transformer({ ...bare, queriesFrom: "noise" })];
    const vectors = random(0).fork("noise").normal([vocabulary, 8]) as Tensor<"float32">;
    const drawn = withWeights(plain, { ...(await weightsOf(plain)), "embed.weight": vectors });
    const capture = [0, 1].map((layer) => `blocks.${layer}.attn.pattern`);
    const inOrder = [Array.from({ length: vocabulary }, (_, id) => id)];
    const [a, b] = [await noise.run({ inputIds }, { capture }), await drawn.run({ inputIds: inOrder }, { capture })];
    for (const address of capture) for (const row of [0, 1]) near(a.at(address).slice(row), b.at(address).slice(0));
    const hybrid = await transformer({ ...bare, queriesFrom: ["stream", "noise"] });
    const mixed = await hybrid.run({ inputIds }, { capture });
    expect(mixed.at(capture[0]).slice(0).data).not.toEqual(mixed.at(capture[0]).slice(1).data);
    near(mixed.at(capture[1]).slice(0), mixed.at(capture[1]).slice(1), 1e-7);
  });

  it.each([
    [{ queriesFrom: "text" }, "expected 8 fixedIds, got 0"],
    [{ fixedIds: [1, 2] }, "expected 0 fixedIds, got 2"],
    [{ queriesFrom: "text", fixedIds: [0, 1, 2, 3, 4, 5, 6, 99] }, "fixedIds must be tokens 0 … 6, got 99"],
  ])("%j is refused", async (wrong, message) => {
    await expect(transformer({ ...small, ...wrong } as TransformerOptions)).rejects.toThrow(message);
  });

  it.each(["embeddings", "random", "noise", "text"] as const)(
    "%s: learns along its gradients, and comes back from its file",
    async (kind) => {
      const fixedIds = kind === "text" ? inputIds[1] : [];
      const model = await transformer({ ...small, queriesFrom: ["stream", kind], convolution: 2, fixedIds });
      const [along, measured] = slopes(model, await weightsOf(model), inputIds[0]);
      expect(Math.abs(along / measured - 1)).toBeLessThan(1e-6);
      await comesBack(await learns(model), kind);
    },
  );

  it("refuses other sources, and another number of them than layers", async () => {
    await expect(transformer({ ...small, queriesFrom: "embedings" as "embeddings" })).rejects.toThrow(
      'unknown queriesFrom "embedings"; did you mean "embeddings"?',
    );
    await expect(transformer({ ...small, queriesFrom: ["random"] })).rejects.toThrow(
      "expected queriesFrom for each of 2 layers, got 1",
    );
  });
});
