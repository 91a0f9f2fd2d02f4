import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, PromptMetric } from "../../../kernel/lib/index.js";
import {
  attentionGradients,
  headImportance,
  interventions,
  load,
  logitDifference,
  patternSimilarity,
  saliency,
  tensor,
} from "../../../kernel/lib/index.js";
import { build, gradients } from "../../../kernel/lib/graph/index.js";
import { ranksOf } from "../../../kernel/lib/analyses/parts/correlation.js";
import { readOracle } from "../../models/oracle.js";
import { planted, shown } from "./planted.js";

const one = { inputIds: [[5, 6, 7, 8, 9]] };
const two = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15]] }; // prettier-ignore

/** Reads one head's output and nothing else. */
const oneHead: PromptMetric = {
  name: "one head",
  write: ({ at }) => {
    const own = build.slice(at("blocks.1.attn.z"), 1, 2, 3);
    return build.reduceSum(build.mul(own, own), [1, 2, 3]);
  },
};

describe.each(["gpt2", "llama_rope3"])("importance of heads of %s", (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
  });
  afterAll(() => model.dispose());

  it("the gradient is that of a gate on the head", async () => {
    const metric = logitDifference(7, 9);
    const found = await headImportance(model, one, { metric, exact: false });
    const difference = async (gate: number): Promise<number> => {
      const run = await model.run(one, { interventions: [interventions.gate({ layer: 1, head: 2, gate })] });
      return run.logits.item(0, 4, 7) - run.logits.item(0, 4, 9);
    };
    const step = 1 / 64;
    const slope = ((await difference(1 + step)) - (await difference(1 - step))) / (2 * step);
    expect(Math.abs(found.at(1, 2).values["gradient"] - Math.abs(slope))).toBeLessThan(2e-3 * Math.abs(slope) + 1e-4);
    expect(found.measures).not.toContain("exact");
  });

  it("finds the planted head, exactly, in the layer that is read; in the layers above nothing", async () => {
    const found = await headImportance(model, two, { metric: oneHead });
    const run = await model.run(two, { capture: ["blocks.1.attn.z"] });
    const power = [0, 1].map((b) => run.at("blocks.1.attn.z").slice(b, 2).numbers().reduce((sum, x) => sum + x * x, 0)); // prettier-ignore
    const expected = (power[0] + power[1]) / 2;
    const planted = found.at(1, 2).values;
    expect(planted["gradient"] / (2 * expected)).toBeCloseTo(1, 5);
    expect(planted["exact"] / expected).toBeCloseTo(1, 5);
    expect(planted["per layer"]).toBeCloseTo(1, 12);
    for (const { layer, head, values } of found.rows) {
      if (layer < 1 || (layer === 1 && head === 2)) continue;
      expect([values["gradient"], values["exact"], values["per layer"]], `${layer}.${head}`).toEqual([0, 0, 0]);
    }
  });

  it("each prompt counts by its size: a batch of n is the mean of batches of 1", async () => {
    const metric = logitDifference(7, 9);
    const both = await headImportance(model, two, { metric, exact: false });
    const each = await Promise.all(
      two.inputIds.map((row) => headImportance(model, { inputIds: [row] }, { metric, exact: false })),
    );
    for (const { layer, head, values } of both.rows) {
      const alone = each.map((found) => found.at(layer, head).values["gradient"]);
      expect(values["gradient"]).toBeCloseTo((alone[0] + alone[1]) / 2, 12);
    }
    const scaled = both.rows.map(({ values }) => values["scaled"]);
    expect([Math.min(...scaled), Math.max(...scaled)]).toEqual([0, 1]);
    for (let l = 0; l < model.layers; l++) {
      const norm = Math.hypot(...both.rows.filter(({ layer }) => layer === l).map(({ values }) => values["per layer"]));
      expect(norm).toBeCloseTo(1, 12);
    }
  });

  it("attention × gradient: sums over a head equal those of the graph", async () => {
    const metric = logitDifference(7, 9);
    const found = await attentionGradients(model, one, { metric });
    const { slope } = await model.compute(one, (site) => {
      const value = build.reduceSum(metric.write(site, [0]));
      return { slope: gradients(value, [site.at("blocks.1.attn.pattern")])[0] };
    });
    const run = await model.run(one);
    const a = run.at("blocks.1.attn.pattern").slice(0, 3).numbers();
    const product = slope.slice(0, 3).numbers().map((d, i) => d * a[i]); // prettier-ignore
    const sum = (of: (x: number, i: number) => number): number => product.reduce((total, x, i) => total + of(x, i), 0);
    const { size, positive, total, "on first": first } = found.at(1, 3).values;
    expect(Math.abs(total - sum((x) => x))).toBeLessThan(1e-5);
    expect(Math.abs(size - sum(Math.abs))).toBeLessThan(1e-5);
    expect(Math.abs(positive - sum((x) => Math.max(x, 0)))).toBeLessThan(1e-5);
    expect(Math.abs(first - sum((x, i) => (i % 5 === 0 ? Math.abs(x) : 0)) / size)).toBeLessThan(1e-4);
  });

  it("saliency: planted tokens, and heads that look there agree exactly", async () => {
    const metric: PromptMetric = {
      name: "two tokens",
      write: ({ at, feed }) => {
        const weights = feed("weights", tensor([[[0], [1], [0], [3], [0]]]), [1, "query", 1]);
        return build.reduceSum(build.mul(at("blocks.0.resid_pre"), weights), [1, 2]);
      },
    };
    const attends = (head: number, _q: number, k: number): number =>
      head === 0 ? (k === 1 ? 0.25 : k === 3 ? 0.75 : 0) : head === 1 ? (k === 0 ? 1 : 0) : 0.2;
    const { tokens, agreement } = await saliency(model, one, { metric, interventions: [planted(1, 4, 5, attends)] });
    const root = Math.sqrt(model.width);
    [0, root, 0, 3 * root, 0].forEach((x, t) => expect(tokens[0][t].saliency).toBeCloseTo(x, 4));
    const { correlation, rank, "share explained": share } = agreement.at(1, 0).values;
    [correlation, rank, share].forEach((x) => expect(x).toBeCloseTo(1, 6));
    expect(agreement.at(1, 1).values["correlation"]).toBeLessThan(0);
    expect(agreement.at(1, 2).values["correlation"]).toBeNaN();
    const product = await saliency(model, one, { metric, of: "gradient × input" });
    const x = (await model.run(one, { capture: ["blocks.0.resid_pre"] })).at("blocks.0.resid_pre").slice(0, 3);
    const expected = Math.abs(3 * x.numbers().reduce((sum, each) => sum + each, 0));
    expect(product.tokens[0][3].saliency).toBeCloseTo(expected, 4);
    await expect(saliency(model, one, { of: "gradients" as "gradient" })).rejects.toThrow(/did you mean "gradient"\?/);
  });

  it("similar patterns: 1 with itself and with a copy, 0 where no key is shared", async () => {
    const back = (head: number, q: number, k: number): number => (k === (head === 3 ? q : Math.max(q - 1, 0)) ? 1 : 0);
    const edits = [planted(0, 4, 5, back), planted(1, 4, 5, back)];
    const found = await patternSimilarity(model, one, { interventions: edits, other: { inputIds: [[8, 3, 8, 2, 1]] } });
    expect(found.of({ layer: 0, head: 0 }, { layer: 1, head: 2 })).toBeCloseTo(1, 12);
    // Heads 0 and 3 share the key of query 0 only: 1 of 5.
    expect(found.of({ layer: 0, head: 0 }, { layer: 1, head: 3 })).toBeCloseTo(1 / 5, 12);
    expect(found.layers[0][1]).toBeCloseTo(1, 12);
    expect(found.acrossTasks!.at(0, 1).values["cosine"]).toBeCloseTo(1, 12);
    expect(found.acrossTasks!.at(2, 1).values["cosine"]).toBeLessThan(1);
    expect((await shown(found))["text/plain"]).toMatch(/^Similarity of attention patterns of/);
    const other = { inputIds: [[8, 3]] };
    await expect(patternSimilarity(model, one, { other })).rejects.toThrow(/pair 0 must have one length, got 5 and 2/);
  });
});

it("ranks: equal numbers share the mean of theirs", () => {
  expect(ranksOf([3, 1, 3, 2])).toEqual([3.5, 1, 3.5, 2]);
});
