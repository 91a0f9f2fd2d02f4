import { expect, it } from "vitest";
import type { TransformerOptions } from "../../kernel/lib/index.js";
import { adam, tasks, train, transformer } from "../../kernel/lib/index.js";

// The variants of Deconstructing Attention (arXiv:2510.11602 table 1) where every token has to look another one up.
const task = tasks.mqar({ length: 16, pairs: 4, vocabulary: 24 });
const model = {
  ...{ layers: 1, heads: 2, width: 32, mlpWidth: 64, convolution: 2, seed: 1 },
  ...{ vocabulary: task.vocabulary, length: task.length },
};
const variants: Readonly<Record<string, Partial<TransformerOptions>>> = {
  standard: {},
  approximate: { mechanism: "based" },
  random: { queriesFrom: "noise" },
  nonApproximate: { mechanism: "selfScored" },
  mlp: { mechanism: "gatedToken" },
};

it("recall wants mixing, and weights that depend on both tokens: Standard < Approximate < fixed ones < MLP", async () => {
  const losses: Record<string, number> = {};
  for (const [name, options] of Object.entries(variants)) {
    const made = await transformer({ ...model, ...options });
    const { test } = await train(made, task, { steps: 100, batchSize: 16, testRows: 32, optimiser: adam({ rate: 5e-3 }) }); // prettier-ignore
    losses[name] = test["loss"];
  }
  const { standard, approximate, random, nonApproximate, mlp } = losses;
  expect(standard).toBeLessThan(0.3);
  expect(standard).toBeLessThan(approximate);
  expect(approximate).toBeLessThan(Math.min(random, nonApproximate) - 0.5);
  expect(Math.max(random, nonApproximate)).toBeLessThan(mlp - 0.3);
});
