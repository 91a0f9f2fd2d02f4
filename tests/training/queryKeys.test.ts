import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Model, TransformerOptions } from "../../kernel/lib/index.js";
import { adam, interventions, load, random, save, tasks, Tensor, train, transformer } from "../../kernel/lib/index.js";
import { headWeights } from "../../kernel/lib/analyses/parts/headWeights.js";
import { build, constant, evaluate, gradients, input } from "../../kernel/lib/graph/index.js";
import { weightsOf, withWeights } from "../../kernel/lib/training/index.js";
import { tokenLogits } from "../../kernel/lib/training/lesson.js";

const folder = mkdtempSync(join(tmpdir(), "attention-lab-queries-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const task = tasks.copying({ vocabulary: 6, period: 4 });
const small: TransformerOptions = {
  ...{ layers: 2, heads: 4, width: 8, vocabulary: task.vocabulary, length: task.length, mlpWidth: 16 },
};
const inputIds = [task.row(0).ids.map(Number), task.row(1).ids.map(Number)];

const near = (a: Tensor, b: Tensor, tolerance = 1e-5): void => {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.numbers(), b.numbers()];
  expect(Math.max(...x.map((each, i) => Math.abs(each - y[i])))).toBeLessThan(tolerance);
};

/** The slope of a loss along a random direction of all weights, by gradients and by differences, in float64. */
function slopes(model: Model, weights: Readonly<Record<string, Tensor>>): readonly [number, number] {
  const { blueprint } = model.parts();
  const names = Object.keys(weights);
  const leaves = Object.fromEntries(names.map((name) => [name, input(name, "float64", weights[name].shape)]));
  const ids = constant(new Tensor("int32", [1, task.length], Int32Array.from(inputIds[0])));
  const logits = tokenLogits(blueprint, leaves, ids);
  const loss = build.reduceSum(
    build.mul(logits, constant(random(1).normal(logits.shape as number[], { dtype: "float64" }))),
  );
  const directions = names.map((name, i) =>
    random(10 + i)
      .normal(weights[name].shape, { dtype: "float64" })
      .numbers(),
  );
  const at = (h: number) =>
    Object.fromEntries(
      names.map((name, i) => {
        const data = Float64Array.from(weights[name].numbers(), (x, j) => x + h * directions[i][j]);
        return [name, new Tensor("float64", weights[name].shape, data)];
      }),
    );
  const found = gradients(loss, Object.values(leaves));
  const values = evaluate(Object.fromEntries(found.map((each, i) => [String(i), each])), at(0));
  const along = names.reduce(
    (sum, _, i) =>
      sum + Array.from(values[String(i)].data, Number).reduce((part, x, j) => part + x * directions[i][j], 0),
    0,
  );
  const [before, after] = [-1e-6, 1e-6].map((h) => Number(evaluate({ loss }, at(h))["loss"].data[0]));
  return [along, (after - before) / 2e-6];
}

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
    const [along, measured] = slopes(model, await weightsOf(model));
    expect(Math.abs(along / measured - 1)).toBeLessThan(1e-6);
    await comesBack(await learns(model), "values");
    await expect(transformer({ ...small, valueHeads: 3 })).rejects.toThrow(
      "heads must be a multiple of valueHeads, got 4 and 3",
    );
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

  it.each(["embeddings", "random"] as const)(
    "%s: learns along its gradients, and comes back from its file",
    async (kind) => {
      const model = await transformer({ ...small, queriesFrom: ["stream", kind], convolution: 2 });
      const [along, measured] = slopes(model, await weightsOf(model));
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
