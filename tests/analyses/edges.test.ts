import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model } from "../../kernel/lib/index.js";
import { edgeAttribution, load, logitDifference, Tensor } from "../../kernel/lib/index.js";
import { build, gradients, substitute } from "../../kernel/lib/graph/index.js";
import { readOracle } from "../models/oracle.js";
import { shown } from "./heads/planted.js";

const clean = { inputIds: [[5, 6, 7, 8, 9]] };
const corrupted = { inputIds: [[11, 6, 13, 8, 15]] };
const metric = logitDifference(7, 9);

describe.each(["gpt2", "llama_rope3", "gpt_neox", "granite"])("edge attribution on %s", (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
  });
  afterAll(() => model.dispose());

  /** What a head writes differently on the corrupted prompt, [1,Q,M]. */
  async function changeOf(layer: number, head: number): Promise<Tensor> {
    const written = async (input: typeof clean): Promise<Tensor> => {
      const { out } = await model.compute(input, (site) => {
        // What attention writes with this head, less what it writes without: its own part.
        const [z, written] = [site.at(`blocks.${layer}.attn.z`), site.at(`blocks.${layer}.attn_out`)];
        const mask = Float32Array.from({ length: model.heads }, (_, h) => (h === head ? 0 : 1));
        const without = build.mul(z, site.feed("others", new Tensor("float32", [1, model.heads, 1, 1], mask)));
        return { out: build.sub(written, substitute(written, new Map([[z, without]]))) };
      });
      return out;
    };
    const [a, b] = [await written(clean), await written(corrupted)];
    return new Tensor(
      "float32",
      a.shape,
      Float32Array.from(b.data as Float32Array, (x, i) => x - Number(a.data[i])),
    );
  }

  /** A reader of layer 2 that reads the stream with a little of a change added, and nobody else does. */
  const nudged = (part: "q" | "k" | "v" | "mlp", head: number, change: Tensor, share: number): GraphEdit => ({
    name: "nudged",
    at: [part === "mlp" ? "blocks.2.mlp_out" : `blocks.2.attn.${part}`],
    edit: (x, site) => {
      const parallel = !site.addresses.includes("blocks.2.resid_mid");
      // What lies before is as in the untouched run.
      const stream = site.clean(part === "mlp" && !parallel ? "blocks.2.resid_mid" : "blocks.2.resid_pre");
      const moved = build.add(stream, build.mul(site.feed("change", change, [1, "query", model.width]), share));
      const seen = substitute(site.clean(site.address), new Map([[stream, moved]]));
      if (part === "mlp") return seen;
      const count = x.shape[1] as number;
      const mask = Uint8Array.from({ length: count }, (_, h) => (h === head ? 1 : 0));
      return build.where(site.feed("head", new Tensor("bool", [1, count, 1, 1], mask)), seen, x);
    },
  });

  it("is the slope of the metric when one reader reads a little of one writer's change", async () => {
    const scores = await edgeAttribution(model, clean, corrupted, { metric });
    const change = await changeOf(1, 2);
    const value = async (edit: GraphEdit): Promise<number> => {
      const { logits } = await model.run(clean, { interventions: [edit], patterns: false });
      return logits.item(0, 4, 7) - logits.item(0, 4, 9);
    };
    for (const [part, head, to] of [
      ["q", 3, "2.3 q"],
      ["k", 0, "2.0 k"],
      ["v", 1, "2.1 v"],
      ["mlp", 0, "mlp 2"],
    ] as const) {
      const step = 1 / 64;
      const slope = ((await value(nudged(part, head, change, step))) - (await value(nudged(part, head, change, -step)))) / (2 * step); // prettier-ignore
      expect(Math.abs(scores.at("1.2", to) - slope), to).toBeLessThan(3e-4 + 3e-3 * Math.abs(slope));
    }
  });

  it("edges into the logits add up to the change of the whole stream", async () => {
    const scores = await edgeAttribution(model, clean, corrupted, { metric });
    const last = "blocks.2.resid_post";
    const [a, b] = [await model.run(clean, { capture: [last] }), await model.run(corrupted, { capture: [last] })];
    const { slope } = await model.compute(clean, (site) => ({
      slope: gradients(build.reduceSum(metric.write(site, [0])), [site.at(last)])[0],
    }));
    const [x, y, g] = [a.at(last), b.at(last), slope].map((each) => each.numbers());
    const expected = g.reduce((sum, each, i) => sum + each * (y[i] - x[i]), 0);
    const into = scores.rows.filter(({ to }) => to === "logits");
    expect(into).toHaveLength(1 + model.layers * (model.heads + 1));
    expect(Math.abs(into.reduce((sum, { score }) => sum + score, 0) - expected)).toBeLessThan(1e-4);
  });

  it("integrated over one step it is the derivative at the corrupted run, and over many the mean of the way", async () => {
    const one = await edgeAttribution(model, clean, corrupted, { metric, method: "EAP-IG", steps: 1 });
    const back = await edgeAttribution(model, corrupted, clean, { metric });
    one.rows.forEach(({ from, to, score }) => expect(Math.abs(score + back.at(from, to))).toBeLessThan(2e-4));
    const seven = await edgeAttribution(model, clean, corrupted, { metric, method: "EAP-IG", steps: 7 });
    const again = await edgeAttribution(model, clean, corrupted, { metric, method: "EAP-IG", steps: 7 });
    expect(again.toCsv()).toBe(seven.toCsv());
    expect(seven.at("embed", "2.0 q")).not.toBe(one.at("embed", "2.0 q"));
  });
});

describe("edge attribution", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
  });
  afterAll(() => model.dispose());

  it("has every edge once, in the order of the stream; equal prompts have none that matters", async () => {
    const scores = await edgeAttribution(model, clean, clean, { metric });
    expect(scores.rows.every(({ score }) => score === 0)).toBe(true);
    // 3 layers of 4 heads: into q, k, v 12 · (1 + 6 + 11), into MLPs 5 + 10 + 15, into the logits 16.
    expect(scores.rows).toHaveLength(12 * 18 + 30 + 16);
    expect(new Set(scores.rows.map(({ from, to }) => `${from}>${to}`)).size).toBe(scores.rows.length);
    expect(() => scores.at("2.0", "1.0 q")).toThrow(/no edge from "2\.0" to "1\.0 q"/);
    expect(() => scores.at("1.0", "mlp 1")).not.toThrow();
  });

  it("goes on where it was stopped, and is the mean of its pairs", async () => {
    const two = [{ inputIds: [...clean.inputIds, [3, 4, 5, 6, 7]] }, { inputIds: [...corrupted.inputIds, [3, 9, 5, 1, 7]] }] as const; // prettier-ignore
    const options = { metric, method: "EAP-IG", steps: 12 } as const;
    const whole = await edgeAttribution(model, ...two, options);
    const stop = new AbortController();
    const onProgress = (done: number): void => (done === 4 ? stop.abort(new Error("stopped")) : undefined);
    await expect(edgeAttribution(model, ...two, { ...options, signal: stop.signal, onProgress })).rejects.toThrow(
      "stopped",
    );
    const seen: number[] = [];
    const resumed = await edgeAttribution(model, ...two, {
      ...options,
      onProgress: (done, total) => seen.push(done / total),
    });
    expect(resumed.toCsv()).toBe(whole.toCsv());
    expect(seen.at(-1)).toBe(1);
    const single = await Promise.all([0, 1].map((p) => edgeAttribution(model, { inputIds: [two[0].inputIds[p]] }, { inputIds: [two[1].inputIds[p]] }, options))); // prettier-ignore
    for (const { from, to, score } of whole.rows) {
      expect(score).toBeCloseTo((single[0].at(from, to) + single[1].at(from, to)) / 2, 10);
    }
    expect(whole.toLatex()).toMatch(/\\bottomrule/);
    expect((await shown(whole))["text/plain"]).toMatch(
      /^EAP-IG of logitDifference\(7, 9\) on gpt2, 2 pairs, 12 steps[\s\S]*the 20 largest of 262 edges/,
    );
  });

  it("refuses unknown methods, and models that are no sum that norms read", async () => {
    await expect(edgeAttribution(model, clean, corrupted, { metric, method: "EAPIG" as "EAP" })).rejects.toThrow(
      /did you mean "EAP"|did you mean "EAP-IG"/,
    );
    await expect(edgeAttribution(model, clean, corrupted, { metric, steps: 0 })).rejects.toThrow(/steps must be/);
    const gemma = await load((await readOracle("gemma2")).folder);
    await expect(edgeAttribution(gemma, clean, corrupted, { metric })).rejects.toThrow(
      /gemma.* changes the sum of its heads/i,
    );
    await gemma.dispose();
  });
});
