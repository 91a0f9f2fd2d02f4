import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Mechanism } from "../../kernel/lib/index.js";
import {
  adam,
  interventions,
  load,
  mechanism,
  mechanisms,
  save,
  tasks,
  train,
  transformer,
} from "../../kernel/lib/index.js";
import { weightsOf } from "../../kernel/lib/training/index.js";

const folder = mkdtempSync(join(tmpdir(), "attention-lab-transformer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const registry: Readonly<Record<string, Mechanism>> = mechanisms;
const task = tasks.copying({ vocabulary: 6, period: 4 });
const small = {
  layers: 2,
  heads: 2,
  width: 8,
  vocabulary: task.vocabulary,
  length: task.length,
  mlpWidth: 16,
} as const;
const inputIds = [task.row(0).ids.map(Number), task.row(1).ids.map(Number)];

/** Its heads give more channels than their values have; it pools, and is no layer of a transformer. */
const poolers = ["statisticsPooling"];
/** Which queries ask depends on all tokens, whatever the mask. */
const looksAhead = ["selectedQueries"];
/** Mechanisms over pictures read 16 tokens as four rows of four. */
const picture = tasks.copying({ vocabulary: 6, period: 8 });

it.each(poolers)("a transformer of %s is refused", async (name) => {
  await expect(transformer({ ...small, mechanism: name, causal: false })).rejects.toThrow(
    `"${name}" of layer 0 gives heads of 8 channels for values of 4`,
  );
});

const layers = Object.entries(registry).filter(([name]) => !poolers.includes(name));
describe.each(layers)("a transformer of %s", (name, unit) => {
  const work = "grid" in unit.defaults ? picture : task;
  const { length } = work;
  const inputIds = [0, 1].map((row) => work.row(row).ids.map(Number));
  const causal = unit.promises.sees !== "all" && !looksAhead.includes(name);
  const options = { ...small, length, mechanism: name, causal, unitKeys: true } as const;

  it("is a model like any other: it runs, is edited, learns, and is saved", async () => {
    const model = await transformer(options);
    const run = await model.run(
      { inputIds },
      { capture: ["blocks.*.attn.z", "blocks.*.attn.v", "blocks.0.attn.result", "blocks.0.attn_out"] },
    );
    expect(run.logits.shape).toEqual([2, length, 7]);
    expect(run.at("blocks.1.attn.pattern").shape).toEqual([2, 2, length, length]);
    expect(run.logits.numbers().every(Number.isFinite)).toBe(true);
    // Its heads are drawn: by the sizes of their weights where some are negative, and then it says so.
    const [grid] = Object.values(await run.bundle()) as { title: string; live?: unknown }[];
    const negative = [0, 1].some((l) =>
      run
        .at(`blocks.${l}.attn.pattern`)
        .numbers()
        .some((x) => x < 0),
    );
    expect(run.isSigned).toBe(negative);
    expect(grid.title.endsWith("|weights|, some of which are negative")).toBe(negative);

    // Nothing that a causal model says depends on what comes later.
    if (options.causal) {
      const changed = await model.run({ inputIds: [[...inputIds[0].slice(0, 5), 1, 2, 3]] });
      const [before, after] = [run.logits.slice(0, [0, 5]), changed.logits.slice(0, [0, 5])];
      before.numbers().forEach((x, i) => expect(Math.abs(x - after.numbers()[i])).toBeLessThan(1e-5));
    }
    // What the heads write, and the bias, is what attention writes.
    const { data, shape } = run.at("blocks.0.attn.result");
    const bias = (await weightsOf(model))["blocks.0.attn.out.bias"].numbers();
    const out = run.at("blocks.0.attn_out").numbers();
    const [, , heads, width] = shape as [number, number, number, number];
    const sum = out.map((_, i) => {
      const row = Math.floor(i / width) * heads;
      const parts = Array.from({ length: heads }, (__, head) => Number(data[(row + head) * width + (i % width)]));
      return parts.reduce((total, part) => total + part, bias[i % width]);
    });
    out.forEach((x, i) => expect(Math.abs(x - sum[i])).toBeLessThan(1e-5));
    // An edit that changes nothing leaves the logits, and one that takes heads out moves them.
    const same = await model.run(
      { inputIds },
      { interventions: [interventions.identity({ at: "blocks.0.attn.pattern" })] },
    );
    same.logits.numbers().forEach((x, i) => expect(Math.abs(x - run.logits.numbers()[i])).toBeLessThan(1e-5));
    const without = await model.run({ inputIds }, { interventions: [interventions.zeroPattern({ layer: 0 })] });
    if (unit.promises.mixesValues) expect(without.logits.data).not.toEqual(run.logits.data);

    const { fit, model: trained } = await train(model, work, {
      ...{ steps: 30, batchSize: 8, testRows: 0, optimiser: adam({ rate: 1e-2 }) },
    });
    expect(fit.recent("loss", 3)).toBeLessThan(fit.losses[0]);

    const place = join(folder, name);
    await save(trained, place);
    const again = await load(place);
    expect((await again.run({ inputIds })).logits.data).toEqual((await trained.run({ inputIds })).logits.data);
  });
});

describe("the parts of a transformer", () => {
  it.each(["learned", "rotary", "alibi", "none"] as const)("positions %s", async (positions) => {
    const model = await transformer({ ...small, positions });
    const [, length] = [0, 6];
    const run = await model.run({ inputIds: [inputIds[0].slice(0, length)] });
    const padded = await model.run({ inputIds: [inputIds[0].slice(0, length), inputIds[1]] });
    const [alone, beside] = [run.logits.slice(0), padded.logits.slice(0, [0, length])];
    alone.numbers().forEach((x, i) => expect(Math.abs(x - beside.numbers()[i])).toBeLessThan(1e-5));
  });

  it("norms, tied embeddings, grouped heads, convolutions, layers of different mechanisms", async () => {
    for (const extra of [
      { norm: "rms", tied: true },
      { norm: "none", mlpWidth: 0 },
      { kvHeads: 1, headDim: 6 },
      { convolution: 3 },
      { mechanism: ["softmax", "gatedDelta"], mechanismOptions: { scale: 1 } },
    ] as const) {
      const model = await transformer({ ...small, ...extra });
      const { fit } = await train(model, task, {
        steps: 30,
        batchSize: 8,
        testRows: 0,
        optimiser: adam({ rate: 1e-2 }),
      });
      expect(fit.recent("loss", 3)).toBeLessThan(fit.losses[0]);
    }
  });

  it("text is read by its vocabulary, and the first token is put before it", async () => {
    const letters = await transformer({ ...small, vocabulary: ["<s>", ..."abc def"], first: "<s>" });
    expect((await letters.run("a bed")).tokens).toEqual([["<s>", "a", "␣", "b", "e", "d"]]);
    const words = await transformer({ ...small, vocabulary: ["k1", "k2", "v10"] });
    expect((await words.run("k2 v10 k1")).tokens).toEqual([["k2", "v10", "k1"]]);
    const { ids } = await letters.generate("a bed", { maxNewTokens: 2 });
    expect(ids[0]).toHaveLength(2);
  });

  it("a mechanism of one's own trains as any other; it is not saved where load could not find it", async () => {
    const mine = mechanism({
      name: "mine",
      defaults: { power: 2 },
      build: (call, { power }) => mechanisms.softmax.attend(call, { scale: power }),
    });
    const model = await transformer({ ...small, mechanism: mine, mechanismOptions: { power: 0.5 } });
    const { fit } = await train(model, task, { steps: 20, batchSize: 8, testRows: 0, optimiser: adam({ rate: 1e-2 }) });
    expect(fit.recent("loss", 3)).toBeLessThan(fit.losses[0]);
    await expect(save(model, join(folder, "mine"))).rejects.toThrow('the mechanism "mine" is not in the registry');
  });

  it.each([
    [{ layer: 1 }, 'unknown option "layer"; did you mean "layers"?'],
    [{ mechanism: "sofmax" }, 'unknown mechanism "sofmax"; did you mean "softmax"?'],
    [{ mechanism: ["softmax"] }, "expected a mechanism for each of 2 layers, got 1"],
    [{ mechanism: "agent" }, '"agent" of layer 0 sees all keys, but the model is causal'],
    [{ mechanismOptions: { window: 3 } }, 'unknown option "window"'],
    [{ width: 9 }, "width must be a multiple of heads, got 9 and 2"],
    [{ kvHeads: 3, heads: 4 }, "heads must be a multiple of kvHeads, got 4 and 3"],
    [{ vocabulary: ["a", "a"] }, 'token "a" occurs twice'],
    [{ positions: "sinusoid" }, 'unknown positions "sinusoid"'],
  ])("%j is refused", async (wrong, message) => {
    await expect(transformer({ ...small, ...wrong } as never)).rejects.toThrow(message);
  });
});
