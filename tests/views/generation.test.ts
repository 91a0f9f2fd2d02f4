import { describe, expect, it } from "vitest";
import { figureOf } from "attention-lab/figure";
import { generation, generationMime, readGeneration, readPatterns, type GenerationInput } from "attention-lab/views";
import { syntheticGeneration } from "../gallery/generation.js";

const text = { prompt: ["a"], tokens: ["b", "c"], chosen: [1, 0], logits: () => [0, Math.log(3), -Infinity] };
const written = (change: Partial<GenerationInput> = {}) =>
  generation({ title: "t", texts: [text], label: (id) => `<${id}>`, ...change });

describe("what a model wrote", () => {
  it("has the chance of each token and the entropy of each choice", () => {
    const [{ chances, entropyNats, likely }] = written().texts;
    expect(chances).toEqual([0.75, 0.25]);
    const entropy = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25));
    entropyNats.forEach((nats) => expect(nats).toBeCloseTo(entropy, 5));
    expect(likely[0]).toEqual([{ token: "<1>", chance: 0.75 }, { token: "<0>", chance: 0.25 }, { token: "<2>", chance: 0 }]); // prettier-ignore
  });

  it("names the five likeliest of many, and an even choice has the entropy ln n", () => {
    const logits = Array.from({ length: 40 }, (_, id) => (id * 17) % 40);
    const [{ likely }] = written({ texts: [{ ...text, logits: () => logits }] }).texts;
    const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a]).slice(0, 5);
    expect(likely[0].map(({ token }) => token)).toEqual(order.map((id) => `<${id}>`));
    const [{ entropyNats }] = written({ texts: [{ ...text, logits: () => new Float32Array(40) }] }).texts;
    expect(entropyNats[0]).toBeCloseTo(Math.log(40), 5);
  });

  it("keeps the attention of each step over the text before it: a new token is not seen before it is written", () => {
    const weights = (_: number, step: number): number[] => (step === 0 ? [1] : [0.25, 0.75]);
    const { grid } = written({ attention: { layers: 1, heads: 1, weights } });
    const [{ queryTokens, keyTokens, patterns, scalars }] = grid!.samples;
    expect([queryTokens, keyTokens, grid!.causal]).toEqual([["b", "c"], ["a", "b"], true]);
    expect([...readPatterns(patterns, 1, scalars.max).head(0, 0)]).toEqual([1, 0, 0.25, 0.75]);
  });

  it("stays within a megabyte, and is drawn with and without a head", () => {
    const payload = syntheticGeneration(300, 120);
    expect(JSON.stringify(payload).length).toBeLessThanOrEqual(1_000_000);
    expect(figureOf(generationMime, payload)).toContain("surprise of each new token");
    expect(figureOf(generationMime, payload, { head: { layer: 1, head: 2 } })).toContain("L1.H2");
    expect(() => figureOf(generationMime, syntheticGeneration(4, 4, false), { head: { layer: 0, head: 0 } })).toThrow(/no attention/); // prettier-ignore
    expect(() => figureOf(generationMime, payload, { sample: 1 })).toThrow(/sample out of range/);
  });

  it("refuses what does not agree", () => {
    expect(() => written({ texts: [] })).toThrow(/expected 1…256 texts/);
    expect(() => written({ texts: [{ ...text, tokens: [], chosen: [] }] })).toThrow(/got 0 in text 0/);
    expect(() => written({ attention: { layers: 1, heads: 1, weights: () => [1] } })).toThrow(
      /expected 2 weights .* got 1/,
    );
    const payload = JSON.parse(JSON.stringify(syntheticGeneration(4, 4))) as { texts: { prompt: string[] }[] };
    payload.texts[0].prompt.push("more");
    expect(() => readGeneration(payload)).toThrow(/keyTokens: expected 8, got 7/);
  });
});
