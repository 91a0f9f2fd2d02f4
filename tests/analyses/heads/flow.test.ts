import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../kernel/lib/index.js";
import { attentionFlow, attentionRollout, load } from "../../../kernel/lib/index.js";
import { addEdge, flowNetwork, maxFlow } from "../../../kernel/lib/analyses/parts/maxFlow.js";
import { readOracle } from "../../models/oracle.js";
import { plantedEverywhere, shown } from "./planted.js";

const input = { inputIds: [[5, 6, 7, 8]] };
const length = 4;

describe("rollout and flow", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
  });
  afterAll(() => model.dispose());

  it("follow planted attention: every head one token back", async () => {
    const back = (_head: number, q: number, k: number): number => (k === Math.max(q - 1, 0) ? 1 : 0);
    const interventions = plantedEverywhere(3, 4, length, back);
    const rollout = await attentionRollout(model, input, { interventions });
    // Half stays, half moves one back: binomial over three layers.
    [1 / 8, 3 / 8, 3 / 8, 1 / 8].forEach((x, k) => expect(rollout.reaching(0, -1)[k]).toBeCloseTo(x, 12));
    expect(rollout.reaching(0, 3, 0)).toEqual([0, 0, 0.5, 0.5]);
    const flow = await attentionFlow(model, input, { interventions });
    // Pipes of width ½: what needs all three layers, or none, has one way; the others are cut at ½ + ½ = 1 below and above.
    const widths = [0.5, 1, 1, 0.5];
    widths.forEach((x, k) => expect(flow.reaching(0, -1)[k]).toBeCloseTo(x / 3, 12));
  });

  it("of heads that look at themselves is the token itself, and of one layer both are the attention", async () => {
    const self = (_head: number, q: number, k: number): number => (k === q ? 1 : 0);
    const own = { interventions: plantedEverywhere(3, 4, length, self) };
    for (const flow of [await attentionRollout(model, input, own), await attentionFlow(model, input, own)]) {
      expect(flow.reaching(0, 2)).toEqual([0, 0, 1, 0]);
    }
    const flow = await attentionFlow(model, input, { layers: [0, 2] });
    const rollout = await attentionRollout(model, input);
    for (let q = 0; q < length; q++) {
      flow.reaching(0, q, 0).forEach((x, k) => expect(x).toBeCloseTo(rollout.reaching(0, q, 0)[k], 10));
      for (const found of [flow, rollout]) {
        expect(found.reaching(0, q).reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 12);
      }
    }
  });

  it("rollout is the product of the augmented mean patterns", async () => {
    const run = await model.run(input);
    let expected: number[][] | undefined;
    for (let l = 0; l < 3; l++) {
      const pattern = run.at(`blocks.${l}.attn.pattern`);
      const mixed = Array.from({ length }, (_, q) => {
        const row = Array.from({ length }, (_k, k) => {
          let mean = 0;
          for (let h = 0; h < 4; h++) mean += pattern.item(0, h, q, k) / 4;
          return mean + (q === k ? 1 : 0);
        });
        const sum = row.reduce((a, b) => a + b, 0);
        return row.map((x) => x / sum);
      });
      const below = expected;
      expected = below
        ? mixed.map((row) => row.map((_, k) => row.reduce((sum, x, t) => sum + x * below[t][k], 0)))
        : mixed;
    }
    const rollout = await attentionRollout(model, input);
    expected!.forEach((row, q) => row.forEach((x, k) => expect(rollout.reaching(0, q)[k]).toBeCloseTo(x, 6)));
    expect(rollout.toCsv().split("\r\n")).toHaveLength(length + 2);
    expect(rollout.toLatex()).toMatch(/\\bottomrule/);
    expect((await shown(rollout))["text/html"]).toMatch(/what reaches its last token after layer 2<\/p><table>/);
    expect(() => rollout.reaching(0, 9)).toThrow(/no prompt 0 with layer 2 and position 9/);
    await expect(attentionFlow(model, input, { layers: [3] })).rejects.toThrow(/whole numbers in 0 … 2, got 3/);
  });

  it("padding is no position", async () => {
    const padded = { inputIds: [[0, 0, 5, 6, 7, 8]], attentionMask: [[0, 0, 1, 1, 1, 1]] };
    const { samples } = await attentionRollout(model, padded);
    expect(samples[0].tokens).toHaveLength(4);
    expect(samples[0].layers[2][3]).toHaveLength(4);
  });
});

describe("maximum flow", () => {
  it("of the textbook network is 23, again and again", () => {
    const network = flowNetwork(6);
    const edges = [[0, 1, 16], [0, 2, 13], [1, 3, 12], [2, 1, 4], [3, 2, 9], [2, 4, 14], [4, 3, 7], [3, 5, 20], [4, 5, 4]]; // prettier-ignore
    for (const [from, to, amount] of edges) addEdge(network, from, to, amount);
    expect(maxFlow(network, 0, 5)).toBe(23);
    expect(maxFlow(network, 0, 5)).toBe(23);
    expect(maxFlow(network, 5, 0)).toBe(0);
  });
});
