import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, PromptMetric } from "../../kernel/lib/index.js";
import {
  activationPatching,
  attributionPatching,
  interventions,
  load,
  logitDifference,
  Tensor,
  tensor,
} from "../../kernel/lib/index.js";
import { build, constant } from "../../kernel/lib/graph/index.js";
import { readOracle } from "../models/oracle.js";

/** Pairs that differ in one token: the third. */
const clean = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15]] }; // prettier-ignore
const corrupted = { inputIds: [[5, 6, 40, 8, 9], [11, 12, 41, 14, 15]] }; // prettier-ignore
const metric = logitDifference(7, 9);

/** Reads the output of head 2 of layer 1, and nothing else. */
const planted: PromptMetric = {
  name: "one head",
  write: ({ at }) => build.reduceSum(build.slice(at("blocks.1.attn.z"), 1, 2, 3), [1, 2, 3]),
};

describe.each(["gpt2", "llama_rope3"])("patching on %s", (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
  });
  afterAll(() => model.dispose());

  it("over tokens: all that differs is at one token before layer 0", async () => {
    const { recovery, undefinedPairs } = await activationPatching(model, clean, corrupted, { metric, over: "tokens" });
    expect(undefinedPairs).toEqual([]);
    recovery[0].forEach((share, token) => expect(Math.abs(share - (token === 2 ? 1 : 0))).toBeLessThan(1e-4));
    // Tokens before the change never differ, in any layer.
    for (const row of recovery) for (const share of row.slice(0, 2)) expect(Math.abs(share)).toBeLessThan(1e-4);
  });

  it("over heads: what one run with that head replaced says", async () => {
    const map = await activationPatching(model, clean, corrupted, { metric, over: "heads", layers: [1] });
    const capture = ["blocks.1.attn.z"];
    const [a, b] = [await model.run(clean, { capture }), await model.run(corrupted, { capture })];
    const differences = ({ logits }: typeof a): number[] =>
      [0, 1].map((p) => logits.item(p, 4, 7) - logits.item(p, 4, 9));
    const only = (head: number): Tensor => {
      const [from, to] = [a.at(capture[0]), b.at(capture[0])];
      const data = Float32Array.from(to.data as Float32Array);
      const size = from.shape[2] * from.shape[3];
      for (const p of [0, 1]) data.set(from.slice(p, head).data as Float32Array, (p * from.shape[1] + head) * size);
      return new Tensor("float32", to.shape, data);
    };
    for (let head = 0; head < model.heads; head++) {
      const run = await model.run(corrupted, {
        interventions: [interventions.replace({ at: capture[0], with: only(head) })],
      });
      const shares = [0, 1].map(
        (p) => (differences(run)[p] - differences(b)[p]) / (differences(a)[p] - differences(b)[p]),
      );
      expect(Math.abs(map.recovery[0][head] - (shares[0] + shares[1]) / 2), `head ${head}`).toBeLessThan(1e-3);
    }
  });

  it("patches of all layers ride together, and say what those of one layer say by themselves", async () => {
    const long = { inputIds: [Array.from({ length: 30 }, (_, i) => (7 * i) % 40)] };
    const other = { inputIds: [long.inputIds[0].with(4, 41).with(9, 3)] };
    let passes = 0;
    const compute = model.compute.bind(model);
    model.compute = (...args: Parameters<typeof compute>) => {
      passes++;
      return compute(...args);
    };
    const effects = async (over: "heads" | "tokens", layers: readonly number[], read = metric) =>
      (await activationPatching(model, long, other, { metric: read, over, layers })).effects[0];
    try {
      // A metric that reads a lower layer by itself must see the patches there: each layer goes up by itself.
      const lower: PromptMetric = { name: "two", write: (site, at) =>
        build.add(metric.write(site, at), build.reduceSum(site.at("blocks.0.attn.z"), [1, 2, 3])) }; // prettier-ignore
      for (const [over, read, expected] of [
        ["heads", metric, 3],
        // 90 tokens: the first batch is full in the last layer.
        ["tokens", metric, 3 + 1],
        ["heads", lower, 3],
      ] as const) {
        passes = 0;
        const together = await effects(over, [2, 0, 1], read);
        expect(passes, "one pass per layer, and two more").toBe(2 + expected);
        const [apart] = await effects(over, [1], read);
        expect(apart).toHaveLength(over === "heads" ? model.heads : 30);
        apart.forEach((effect, i) => expect(Math.abs(effect - together[2][i])).toBeLessThan(1e-5));
        expect(Math.max(...apart.map(Math.abs))).toBeGreaterThan(1e-3);
      }
    } finally {
      model.compute = compute;
    }
  });

  it("finds a planted head exactly, by patching and by its estimate", async () => {
    const map = await activationPatching(model, clean, corrupted, { metric: planted, over: "heads" });
    map.recovery[1].forEach((share, head) => expect(Math.abs(share - (head === 2 ? 1 : 0))).toBeLessThan(1e-4));
    map.recovery[2].forEach((share) => expect(share).toBe(0));
    const estimate = await attributionPatching(model, clean, corrupted, { metric: planted, checkedLayers: [1] });
    estimate.effects[1].forEach((effect, head) => {
      const exact = (map.effects[0][1][head] + map.effects[1][1][head]) / 2;
      expect(Math.abs(effect - exact)).toBeLessThan(1e-4);
    });
    expect(estimate.effects[2].every((effect) => effect === 0)).toBe(true);
    expect(estimate.correlation).toBeGreaterThan(0.9999);
  });

  it("estimates by the derivative: Σ (z_clean − z_corrupted) · ∂m/∂z", async () => {
    const one = { inputIds: [corrupted.inputIds[0]] };
    const at = ["blocks.*.attn.z"];
    const [a, b] = [
      await model.run({ inputIds: [clean.inputIds[0]] }, { capture: at }),
      await model.run(one, { capture: at }),
    ];
    const slopes = await model.gradients(one, {
      of: (values, g) => {
        const last = g.gather(values.at("logits"), constant(tensor([4], "int32")), 1);
        return g.sub(g.reduceSum(g.slice(last, 2, 7, 8)), g.reduceSum(g.slice(last, 2, 9, 10)));
      },
      at,
    });
    const { perPair, correlation } = await attributionPatching(model, clean, corrupted, { metric });
    for (let layer = 0; layer < model.layers; layer++) {
      for (let head = 0; head < model.heads; head++) {
        const [x, y, d] = [a, b, slopes].map((run) => run.at(`blocks.${layer}.attn.z`).slice(0, head).numbers());
        const expected = x.reduce((sum, v, i) => sum + (v - y[i]) * d[i], 0);
        expect(Math.abs(perPair[0][layer][head] - expected)).toBeLessThan(2e-4 * Math.max(1, Math.abs(expected)));
      }
    }
    expect(Math.abs(correlation)).toBeLessThanOrEqual(1 + 1e-12);
  });

  it("says where nothing can be recovered, and refuses what does not fit", async () => {
    const all = await activationPatching(model, clean, clean, { metric, over: "heads" });
    expect(all.corrupted).toEqual(all.clean);
    expect(all.undefinedPairs).toEqual([0, 1]);
    const same = await activationPatching(model, clean, clean, { metric, over: "heads", layers: [0] });
    expect(same.undefinedPairs).toEqual([0, 1]);
    expect(same.recovery.flat().every(Number.isNaN)).toBe(true);
    const show = (same as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]();
    expect(show["text/plain"]).toMatch(/undefined for pairs 0, 1/);
    expect(show["text/html"]).toMatch(/<td>–<\/td>/);
    const refused = async (other: typeof clean, options: object, message: RegExp): Promise<void> => {
      await expect(activationPatching(model, clean, other, { metric, over: "heads", ...options })).rejects.toThrow(
        message,
      );
    };
    await refused({ inputIds: [[1, 2, 3, 4, 5]] }, {}, /a corrupted prompt for each prompt, got 2 and 1/);
    await refused({ inputIds: [[1, 2], [1, 2, 3, 4, 5]] }, {}, /pair 0 must have one length, got 5 and 2 tokens/); // prettier-ignore
    await refused(corrupted, { layers: [7] }, /a layer is a whole number in 0 … 2, got 7/);
    await refused(corrupted, { over: "head" }, /over must be "heads" or "tokens", got "head"/);
  });
});
