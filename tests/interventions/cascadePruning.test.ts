import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Run } from "../../kernel/lib/index.js";
import { interventions, load } from "../../kernel/lib/index.js";
import { readOracle } from "../models/oracle.js";
import { indices, input, reader, sumOf } from "./patterns.js";

const { cascadePruning } = interventions;

const lengths = [6, 4];

/** The highest `count` of what is still there, of equal ones the first. */
function highest(values: readonly number[], still: readonly number[], count: number): number[] {
  const order = [...still].sort((a, b) => values[b] - values[a] || a - b);
  return order.slice(0, count).sort((a, b) => a - b);
}

describe("cascade pruning", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle("llama_rope3")).folder);
  });
  afterAll(() => model.dispose());

  const capture = ["scores", "pattern", "z"].flatMap((part) => [0, 1, 2].map((l) => `blocks.${l}.attn.${part}`));
  const run = async (options: object): Promise<Run> =>
    model.run(input, { interventions: [cascadePruning(options)], capture });

  /** Tokens and heads of each layer, from the run's own patterns and outputs in plain loops. */
  function expected(
    edited: Run,
    b: number,
    counts: readonly { tokens: number; heads: number }[],
  ): { tokens: number[]; heads: number[] }[] {
    const all = [{ tokens: indices(lengths[b]), heads: indices(model.heads) }];
    const received = indices(6).map(() => 0);
    const given = indices(model.heads).map(() => 0);
    counts.forEach(({ tokens, heads }, before) => {
      const [pattern, z] = ["pattern", "z"].map((part) => reader(edited.at(`blocks.${before}.attn.${part}`)));
      const queries = all[before].tokens;
      for (const h of indices(model.heads)) {
        for (const q of queries) {
          for (const k of indices(6)) received[k] += pattern(b, h, q, k);
          given[h] += sumOf(model.headDim, (d) => Math.abs(z(b, h, q, d)));
        }
      }
      all.push({
        tokens: highest(received, queries, tokens),
        heads: highest(given, all[before].heads, heads),
      });
    });
    return all;
  }

  it("shares of 1 change nothing, to the last bit", async () => {
    const clean = await model.run(input, { capture });
    const same = await run({ tokens: 1, heads: 1 });
    expect(same.logits.data).toEqual(clean.logits.data);
    for (const address of capture) expect(same.at(address).data).toEqual(clean.at(address).data);
  });

  it("takes out what counted least, and what is out stays out", async () => {
    // Of 6 tokens 4 and 2, of 4 tokens 3 and 2 (⌈4 · 2/3⌉, ⌈4 · 1/3⌉), of 4 heads 3 and 2.
    const edited = await run({ tokens: 1 / 3, heads: 0.5 });
    const counts = [
      [{ tokens: 4, heads: 3 }, { tokens: 2, heads: 2 }], // prettier-ignore
      [{ tokens: 3, heads: 3 }, { tokens: 2, heads: 2 }], // prettier-ignore
    ];
    for (const b of [0, 1]) {
      const kept = expected(edited, b, counts[b]);
      for (const layer of [0, 1, 2]) {
        const [pattern, z] = ["pattern", "z"].map((part) => reader(edited.at(`blocks.${layer}.attn.${part}`)));
        for (const h of indices(model.heads)) {
          const isOut = z(b, h, lengths[b] - 1, 0) === 0;
          expect(isOut, `layer ${layer}, head ${h}`).toBe(!kept[layer].heads.includes(h));
          for (const q of indices(lengths[b])) {
            const read = indices(6).filter((k) => pattern(b, h, q, k) > 0);
            const wanted = indices(q + 1).filter((k) => k === q || kept[layer].tokens.includes(k));
            expect(read, `layer ${layer}, query ${q}`).toEqual(wanted);
            expect(sumOf(6, (k) => pattern(b, h, q, k))).toBeCloseTo(1, 5);
          }
        }
        if (layer > 0) {
          expect(kept[layer - 1].tokens).toEqual(expect.arrayContaining(kept[layer].tokens));
          expect(kept[layer - 1].heads).toEqual(expect.arrayContaining(kept[layer].heads));
        }
      }
    }
  });

  it("tokens alone leave every head, heads alone every token; at least one of each stays", async () => {
    const none = await run({ tokens: 0, heads: 0 });
    const last = reader(none.at("blocks.2.attn.pattern"));
    const others = indices(5).filter((k) => last(0, 0, 5, k) > 0);
    expect(others.length).toBeLessThanOrEqual(1);
    const z = reader(none.at("blocks.2.attn.z"));
    expect(indices(model.heads).filter((h) => z(0, h, 5, 0) !== 0)).toHaveLength(1);
    const clean = await model.run(input, { capture });
    const byHeads = await run({ heads: 0.5 });
    expect(byHeads.at("blocks.1.attn.pattern").data).toEqual(clean.at("blocks.1.attn.pattern").data);
    expect(byHeads.logits.data).not.toEqual(clean.logits.data);
    const byTokens = reader((await run({ tokens: 0.5 })).at("blocks.2.attn.z"));
    expect(indices(model.heads).every((h) => byTokens(0, h, 5, 0) !== 0)).toBe(true);
  });

  it("refuses what is no share", () => {
    expect(() => cascadePruning({ tokens: 2 })).toThrow("cascadePruning: tokens must be a share in 0 … 1, got 2");
    expect(() => cascadePruning({ token: 0.5 } as object)).toThrow('did you mean "tokens"?');
  });
});
