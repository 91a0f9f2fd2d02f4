import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../kernel/lib/index.js";
import { load, retrievalHeads } from "../../../kernel/lib/index.js";
import { readOracle } from "../../models/oracle.js";

describe("retrieval heads", () => {
  let model: Model;
  const prompt = [5, 6, 7, 8, 9, 10, 11, 12, 5, 6];
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
  });
  afterAll(() => model.dispose());

  /** The same from the definition: a forward pass over the text so far at each step. */
  async function expected(needle: readonly [number, number], steps: number): Promise<number[][]> {
    const ids = [...prompt];
    const hits = Array.from({ length: 3 }, () => [0, 0, 0, 0]);
    for (let step = 0; step < steps; step++) {
      const run = await model.run({ inputIds: [ids] });
      const row = run.logits.slice(0, ids.length - 1).numbers();
      const written = row.indexOf(Math.max(...row));
      for (let l = 0; l < 3; l++) {
        for (let h = 0; h < 4; h++) {
          const attention = run.at(`blocks.${l}.attn.pattern`).slice(0, h, ids.length - 1).numbers(); // prettier-ignore
          const most = attention.indexOf(Math.max(...attention));
          if (most >= needle[0] && most < needle[1] && prompt[most] === written)
            hits[l][h] += 1 / (needle[1] - needle[0]);
        }
      }
      ids.push(written);
    }
    return hits;
  }

  it("score as the definition says, each copy again", async () => {
    const { ids } = await model.generate({ inputIds: [prompt] }, { maxNewTokens: 6 });
    // A needle that the model writes: its own first words, put into the prompt by a second case.
    const own = [...ids[0].slice(0, 3), ...prompt.slice(3)];
    prompt.splice(0, prompt.length, ...own);
    const needle = [0, prompt.length] as const;
    const found = await retrievalHeads(model, [{ prompt, needle }], { maxNewTokens: 6, recall: -1 });
    const hits = await expected(needle, 6);
    hits.forEach((row, l) => row.forEach((x, h) => expect(found.at(l, h).values["retrieval"]).toBeCloseTo(x, 10)));
  });

  it("a case without an answer says nothing; a stop token ends the answer", async () => {
    const silent = await retrievalHeads(model, [{ prompt, needle: [2, 9] }], { maxNewTokens: 2, recall: 0.99 });
    expect(silent.rows.every(({ values }) => Number.isNaN(values["retrieval"]))).toBe(true);
    expect(silent.caption).toMatch(/0 of 1 cases answered/);
    expect(silent.above(0.1).rows).toEqual([]);
    const { ids } = await model.generate({ inputIds: [prompt] }, { maxNewTokens: 6 });
    const stopped = await retrievalHeads(model, [{ prompt, needle: [0, 10] }], { maxNewTokens: 6, recall: -1, stopIds: [ids[0][0]] }); // prettier-ignore
    const hits = await expected([0, 10], 1);
    hits.forEach((row, l) => row.forEach((x, h) => expect(stopped.at(l, h).values["retrieval"]).toBeCloseTo(x, 10)));
  });

  it("a mean over cases, and the refusal of needles outside", async () => {
    const cases = [
      { prompt, needle: [0, 4] as const },
      { prompt: prompt.slice(2), needle: [1, 3] as const },
    ];
    const both = await retrievalHeads(model, cases, { maxNewTokens: 3, recall: -1 });
    const each = await Promise.all(cases.map((one) => retrievalHeads(model, [one], { maxNewTokens: 3, recall: -1 })));
    for (const { layer, head, values } of both.rows) {
      const alone = each.map((found) => found.at(layer, head).values["retrieval"]);
      expect(values["retrieval"]).toBeCloseTo((alone[0] + alone[1]) / 2, 12);
    }
    await expect(retrievalHeads(model, [{ prompt, needle: [4, 40] }])).rejects.toThrow(/a part of 0 … 10, got 4 … 40/);
    await expect(retrievalHeads(model, [])).rejects.toThrow(/at least one case/);
  });
});
