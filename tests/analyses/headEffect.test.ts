import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Run } from "../../kernel/lib/index.js";
import { ablate, headEffect, interventions, load, promptLoss } from "../../kernel/lib/index.js";
import { inputOf, pairInputOf, pairs, readOracle, type Oracle } from "../models/oracle.js";

const prompts = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15]] }; // prettier-ignore

describe("the effect of a head on a language model", () => {
  let model: Model;
  let run: Run;
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
    run = await model.run(prompts);
  });
  afterAll(() => model.dispose());

  it("is, in loss, what `ablate` says", async () => {
    for (const [mode, name] of [
      ["zero", "zero"],
      ["uniform", "uniform"],
      ["bos", "bos"],
    ] as const) {
      // prettier-ignore
      const table = await ablate(model, prompts, { metric: promptLoss(), modes: [name], randomHeads: 0 });
      for (const prompt of [0, 1]) {
        const { loss } = await headEffect(run, { layer: 1, head: 2, mode, prompt });
        expect(loss![1] - loss![0]).toBeCloseTo(table.at(1, 2, name).perPrompt[prompt], 5);
      }
    }
  });

  it("is, in logits and attention, what a run with the intervention says", async () => {
    const edits = {
      zero: interventions.zeroZ({ layer: 0, head: 1 }),
      mean: interventions.meanZ({ layer: 0, head: 1, over: "batch" }),
      uniform: interventions.uniformPattern({ layer: 0, head: 1 }),
      bos: interventions.bosPattern({ layer: 0, head: 1 }),
      zeroPattern: interventions.zeroPattern({ layer: 0, head: 1 }),
    };
    for (const [mode, edit] of Object.entries(edits)) {
      const other = await model.run(prompts, { interventions: [edit] });
      const effect = await headEffect(run, { layer: 0, head: 1, mode: mode as keyof typeof edits, prompt: 1 });
      for (const { token, logit } of effect.prediction!.moved) {
        const id = Array.from({ length: run.logits.shape[2] }, (_, i) => i).find((i) => run.label(i) === token)!;
        expect(logit[0]).toBeCloseTo(run.logits.item(1, 4, id), 4);
        expect(logit[1]).toBeCloseTo(other.logits.item(1, 4, id), 4);
      }
      for (const [layer, head] of [
        [1, 0],
        [2, 3],
      ] as const) {
        // prettier-ignore
        const was = run.at(`blocks.${layer}.attn.pattern`).slice(1, head).numbers();
        const is = other.at(`blocks.${layer}.attn.pattern`).slice(1, head).numbers();
        const share = was.reduce((sum, weight, at) => sum + Math.abs(is[at] - weight) / 2, 0) / 5;
        expect(effect.moved[layer * model.heads + head]).toBeCloseTo(share, 4);
      }
    }
  });

  it("finds nothing where nothing changes: heads of earlier layers, and a run that was ablated already", async () => {
    const late = await headEffect(run, { layer: 2, head: 0, mode: "zero" });
    expect(late.moved.filter((share) => share > 0)).toEqual([]);
    const without = await model.run(prompts, { interventions: [{ layer: 1, head: 1, mode: "zero" }] });
    const again = await headEffect(without, { layer: 1, head: 1, mode: "zero" });
    expect(again.loss![1]).toBe(again.loss![0]);
    expect(again.prediction!.divergenceNats).toBe(0);
    expect(Math.max(...again.moved)).toBe(0);
  });

  it("refuses a head, a mode and an option that there are not", async () => {
    await expect(headEffect(run, { layer: 9, head: 0 })).rejects.toThrow(
      /layer must be a whole number in 0 … 2, got 9/,
    );
    await expect(headEffect(run, { layer: 0, head: 0, mode: "zeroo" as "zero" })).rejects.toThrow(/one of zero, mean/);
    await expect(headEffect(run, { layer: 0, head: 0, haed: 1 } as never)).rejects.toThrow(/did you mean "head"/);
    const bare = await model.run(prompts, { patterns: false });
    await expect(headEffect(bare, { layer: 0, head: 0 })).rejects.toThrow(/was not captured/);
  });
});

describe("the effect of a head on other models", () => {
  it.each(["bert", "t5", "vit", "whisper"])("%s: is finite, and 0 for a head that is out already", async (name) => {
    const oracle = await readOracle(name);
    const model = await load(oracle.folder);
    const run = await model.run(inputs(name, oracle));
    const stack = run.stacks[0];
    const head = { ...(stack.name === "" ? {} : { stack: stack.name }), layer: 0, head: 0 };
    const effect = await headEffect(run, head);
    expect(effect.moved).toHaveLength(stack.layers * stack.heads);
    expect(Math.max(...effect.moved)).toBeGreaterThan(0);
    expect((effect.prediction?.divergenceNats ?? effect.outputChange)!).toBeGreaterThan(0);
    const without = await model.run(inputs(name, oracle), { interventions: [{ ...head, mode: "zero" }] });
    const again = await headEffect(without, head);
    expect(again.prediction?.divergenceNats ?? again.outputChange).toBe(0);
    await model.dispose();
  });
});

const inputs = (name: string, oracle: Oracle): Parameters<Model["run"]>[0] => {
  if (name === "vit") return { pixelValues: oracle.at("pixel_values") };
  return pairs.includes(name) ? pairInputOf(oracle) : inputOf(oracle);
};
