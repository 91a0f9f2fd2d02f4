import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AblationMode, Model } from "../../kernel/lib/index.js";
import { ablationTableMime, readAblationTable } from "../../kernel/lib/views/index.js";
import { ablate, interventions, load, logitDifference, promptLoss, tensor } from "../../kernel/lib/index.js";
import { bootstrapInterval, falseDiscoveryRates, signFlipP } from "../../kernel/lib/analyses/parts/statistics.js";
import { build } from "../../kernel/lib/graph/index.js";
import { random } from "../../kernel/lib/tensor/index.js";
import { readOracle } from "../models/oracle.js";

const prompts = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15], [4, 9, 4, 9, 4]] }; // prettier-ignore
const metric = logitDifference(7, 9);

describe.each(["gpt2", "llama_rope3"])("ablate on %s", (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
  });
  afterAll(() => model.dispose());

  it("says for every head what one run without it says", async () => {
    const modes: AblationMode[] = ["zero", "mean", "resample", "uniform", "bos", "zeroQ"];
    const seen: number[] = [];
    const table = await ablate(model, prompts, {
      metric,
      modes,
      randomHeads: 3,
      onProgress: (done, total) => seen.push(done / total),
    });
    expect(table.rows).toHaveLength(model.layers * model.heads * modes.length);
    expect(seen.at(-1)).toBe(1);
    const z = await model.run(prompts, { capture: ["blocks.*.attn.z"] });
    const means = tensor(
      Array.from({ length: model.layers }, (_, l) =>
        Array.from({ length: model.heads }, (_, h) =>
          Array.from({ length: model.headDim }, (_, d) => {
            let sum = 0;
            for (const b of [0, 1, 2]) for (let t = 0; t < 5; t++) sum += z.at(`blocks.${l}.attn.z`).item(b, h, t, d);
            return sum / 15;
          }),
        ),
      ),
    );
    const one = { layer: 1, head: 2 };
    const next = z.at("blocks.1.attn.z");
    const rotated = tensor([1, 2, 0].map((b) => Array.from({ length: model.heads }, (_, h) =>
      Array.from({ length: 5 }, (_, t) => Array.from((h === 2 ? next.slice(b, h, t) : next.slice((b + 2) % 3, h, t)).numbers()))))); // prettier-ignore
    const edits = {
      zero: interventions.zeroZ(one),
      mean: interventions.meanZ({ ...one, over: means }),
      resample: interventions.replace({ at: "blocks.1.attn.z", with: rotated }),
      uniform: interventions.uniformPattern(one),
      bos: interventions.bosPattern(one),
      zeroQ: interventions.zeroQ(one),
    };
    const differences = (logits: { item: (...at: number[]) => number }): number[] =>
      [0, 1, 2].map((b) => logits.item(b, 4, 7) - logits.item(b, 4, 9));
    const clean = differences(z.logits);
    clean.forEach((value, b) => expect(Math.abs(table.clean[b] - value)).toBeLessThan(1e-5));
    for (const mode of modes) {
      const edited = differences((await model.run(prompts, { interventions: [edits[mode]] })).logits);
      const row = table.at(1, 2, mode);
      row.perPrompt.forEach((effect, b) => expect(Math.abs(effect - (edited[b] - clean[b])), mode).toBeLessThan(1e-5));
      expect(Math.abs(row.effect - row.perPrompt.reduce((a, c) => a + c, 0) / 3)).toBeLessThan(1e-9);
      expect(row.low <= row.effect && row.effect <= row.high).toBe(true);
      expect(Number.isNaN(row.nullShare)).toBe(["uniform", "bos", "zeroQ"].includes(mode));
    }
    expect(table.at(1, 2, "zero").effect).not.toBe(table.at(1, 2, "uniform").effect);
  });

  it("is the mean of single prompts, and the same again", async () => {
    const options = { metric: promptLoss(), randomHeads: 2 };
    const together = await ablate(model, prompts, options);
    for (const [b, row] of prompts.inputIds.entries()) {
      const alone = await ablate(model, { inputIds: [row] }, options);
      alone.rows.forEach(({ layer, head, effect }) => expect(together.at(layer, head).perPrompt[b]).toBe(effect));
      const run = await model.run({ inputIds: [row] });
      expect(Math.abs(alone.clean[0] - run.loss!)).toBeLessThan(1e-5);
    }
    expect((await ablate(model, prompts, options)).toCsv()).toBe(together.toCsv());
  });

  it("keeps what is done when it is stopped, and goes on from there", async () => {
    const options = { metric, randomHeads: 0 };
    const whole = await ablate(model, prompts, options);
    const stop = new AbortController();
    const compute = model.compute.bind(model);
    let passes = 0;
    model.compute = (...args: Parameters<typeof compute>) => {
      passes++;
      return compute(...args);
    };
    const stopped = ablate(model, prompts, {
      ...options,
      signal: stop.signal,
      onProgress: (done) => (done === 2 ? stop.abort(new Error("stopped")) : undefined),
    });
    await expect(stopped).rejects.toThrow("stopped");
    passes = 0;
    const resumed = await ablate(model, prompts, options);
    expect(passes, "the third prompt's").toBe(3 + model.layers);
    expect(resumed.toCsv()).toBe(whole.toCsv());
    passes = 0;
    await ablate(model, { inputIds: [prompts.inputIds[0]] }, options);
    expect(passes, "one pass per layer and one more").toBe(1 + model.layers);
  });
});

describe("ablation tables", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
  });
  afterAll(() => model.dispose());

  it("find a planted head, and nothing where nothing is planted", async () => {
    // A metric that reads one head's output finds that head alone; one that reads none finds none.
    const planted = {
      name: "one head",
      write: ({ at }: Parameters<typeof metric.write>[0]) => {
        const z = at("blocks.1.attn.z");
        const own = build.slice(z, 1, 2, 3);
        return build.reduceSum(build.mul(own, own), [1, 2, 3]);
      },
    };
    const many = { inputIds: Array.from({ length: 8 }, (_, i) => [i + 3, 2 * i + 5, 7, 30 - i, 4, i + 9]) };
    const found = await ablate(model, many, { metric: planted, layers: [1, 2], randomHeads: 19 });
    for (const row of found.rows) {
      if (row.layer === 1 && row.head === 2) {
        expect(row.effect).toBeLessThan(-1e-6);
        row.perPrompt.forEach((effect, i) => expect(Math.abs(effect + found.clean[i])).toBeLessThan(1e-6));
        expect([row.p, row.nullShare]).toEqual([2 / 2 ** 8, 1 / 20]);
        expect(row.q).toBeCloseTo((2 / 2 ** 8) * 8, 12);
      } else {
        expect([row.effect, row.low, row.high, row.p, row.q, row.nullShare].map(Math.abs)).toEqual([0, 0, 0, 1, 1, 1]);
      }
    }
  });

  it("ride together where nothing but the stream lies between them, in whatever order they are named", async () => {
    const one = { inputIds: [[5, 6, 7, 8, 9, 10]] };
    let passes = 0;
    const compute = model.compute.bind(model);
    model.compute = (...args: Parameters<typeof compute>) => {
      passes++;
      return compute(...args);
    };
    const effects = async (
      layers: readonly number[],
      randomHeads: number,
      read = metric,
    ): Promise<Map<string, number>> => {
      passes = 0;
      const { rows } = await ablate(model, one, { metric: read, layers, randomHeads });
      return new Map(rows.map(({ layer, head, effect }) => [`${layer}.${head}`, effect]));
    };
    try {
      const apart = new Map<string, number>();
      for (const layer of [0, 1, 2]) (await effects([layer], 0)).forEach((effect, key) => apart.set(key, effect));
      const together = await effects([2, 0, 1], 0);
      expect(passes).toBe(1 + 3);
      expect([...together.keys()][0]).toBe("2.0");
      together.forEach((effect, key) => expect(Math.abs(effect - apart.get(key)!), key).toBeLessThan(1e-6));
      // 3 layers of 4 heads and 40 random ones: the first batch holds 64 of 132, and is full in the second layer.
      const crowded = await effects([0, 1, 2], 40);
      expect(passes).toBe(1 + 2 + 2 + 1);
      crowded.forEach((effect, key) => expect(Math.abs(effect - apart.get(key)!), key).toBeLessThan(1e-6));
      // What reads a lower layer by itself must see the heads that are out there.
      const lower = { name: "two layers", write: (site: Parameters<typeof metric.write>[0], at: readonly number[]) =>
        build.add(metric.write(site, at), build.reduceSum(site.at("blocks.0.attn.z"), [1, 2, 3])) }; // prettier-ignore
      const reading = await effects([0, 1, 2], 0, lower);
      expect(passes, "each layer up to the end").toBe(1 + 3);
      for (const layer of [0, 1, 2]) {
        (await effects([layer], 0, lower)).forEach((effect, key) =>
          expect(Math.abs(reading.get(key)! - effect), key).toBeLessThan(1e-6),
        );
      }
      const z = (await model.run(one, { capture: ["blocks.0.attn.z"] })).at("blocks.0.attn.z").slice(0, 1).numbers();
      const sum = z.reduce((total, x) => total + x, 0);
      expect(Math.abs(reading.get("0.1")! + sum - apart.get("0.1")!)).toBeLessThan(1e-5);
    } finally {
      model.compute = compute;
    }
  });

  it("export and show themselves", async () => {
    const table = await ablate(
      model,
      { inputIds: [[1, 2, 3]] },
      { metric, modes: ["zero", "bos"], heads: [0, 3], randomHeads: 1 },
    );
    expect(table.rows.map(({ layer, head }) => `${layer}.${head}`).slice(0, 4)).toEqual(["0.0", "0.3", "0.0", "0.3"]);
    const lines = table.toCsv().split("\r\n");
    expect(lines[0]).toBe("layer,head,mode,effect,low,high,p,q,nullShare");
    expect(lines).toHaveLength(table.rows.length + 2);
    expect(Number(lines[1].split(",")[3])).toBe(table.rows[0].effect);
    expect(table.toMarkdown().split("\n")[1]).toMatch(/^\| ---: \|/);
    expect(table.toLatex()).toMatch(/\\toprule[\s\S]*\\midrule[\s\S]*\\bottomrule/);
    const sizes = table.sorted().rows.map(({ effect }) => Math.abs(effect));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    const show = (table as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]();
    expect(show["text/plain"]).toMatch(/change of logitDifference\(7, 9\)/);
    expect(show["text/html"]).toMatch(/^<p>Ablation of[\s\S]*<table><thead><tr><th>layer<\/th>/);
    expect(show["text/html"]).not.toMatch(/<script/);
    const { columns, modes, clean } = readAblationTable(show[ablationTableMime]);
    expect(modes).toEqual(["zero", "bos"]);
    expect(clean).toEqual(table.clean.map((value) => Number(value.toPrecision(6))));
    table.rows.forEach(({ layer, head, mode, effect, perPrompt }, at) => {
      expect([columns.layer[at], columns.head[at], modes[columns.mode[at]]]).toEqual([layer, head, mode]);
      expect(columns.effect[at]).toBe(Number(effect.toPrecision(6)));
      expect(columns.perPrompt![at]).toEqual(perPrompt.map((change) => Number(change.toPrecision(6))));
    });
  });

  it("refuse what does not fit", async () => {
    const one = { inputIds: [[1, 2, 3]] };
    const refused = async (input: typeof one, options: object, message: RegExp): Promise<void> => {
      await expect(ablate(model, input, { metric, ...options })).rejects.toThrow(message);
    };
    await refused(one, { mode: ["zero"] }, /ablate: unknown option "mode"; did you mean "modes"\?/);
    await refused(one, { modes: ["zreo"] }, /unknown mode "zreo"; did you mean "zero"\?/);
    await refused(one, { modes: ["resample"] }, /at least two prompts of one length/);
    await refused(one, { heads: [9] }, /heads must be different whole numbers in 0 … 3, got 9/);
    await refused({ inputIds: [] }, {}, /at least one prompt/);
    await refused(one, { metric: logitDifference([1, 2], 9999) }, /token id is a whole number in 0 … \d+, got 9999/);
    await refused(one, { metric: logitDifference(" no such single token", 1) }, /must be one token, got \d+: /);
    const encoder = await load((await readOracle("bert_model")).folder);
    await expect(ablate(encoder, one, { metric })).rejects.toThrow(/has no prediction head/);
    await encoder.dispose();
  });

  it("reads a token by its text", async () => {
    const { logits, tokens } = await model.run("You may");
    const text = tokens[0].at(-1)!.replaceAll("␣", " ");
    const byText = await ablate(model, "You may", { metric: logitDifference(text, 3), layers: [2], randomHeads: 0 });
    const last = logits.shape[1] - 1;
    const ids = Array.from({ length: logits.shape[2] }, (_, id) => id);
    const values = ids.map((id) => logits.item(0, last, id) - logits.item(0, last, 3));
    expect(Math.min(...values.map((value) => Math.abs(value - byText.clean[0])))).toBeLessThan(1e-5);
    await expect(ablate(model, "You may", { metric: logitDifference(`${text}${text}${text}`, 3) })).rejects.toThrow(
      /must be one token, got \d+: /,
    );
  });
});

describe("statistics", () => {
  it("bootstrap intervals cover, shrink with more prompts, and are points for constants", () => {
    const draws = Array.from(random(4).normal([40], { mean: 1, dtype: "float64" }).data, Number);
    const [low, high] = bootstrapInterval(draws, 0);
    const mean = draws.reduce((sum, x) => sum + x, 0) / 40;
    const error = Math.sqrt(draws.reduce((sum, x) => sum + (x - mean) ** 2, 0)) / 40;
    expect(Math.abs(low - (mean - 1.96 * error))).toBeLessThan(0.3 * error);
    expect(Math.abs(high - (mean + 1.96 * error))).toBeLessThan(0.3 * error);
    expect(bootstrapInterval([2, 2, 2], 0)).toEqual([2, 2]);
    expect(bootstrapInterval([2], 0)).toEqual([NaN, NaN]);
  });

  it("sign flips: 2/2ⁿ for effects of one sign, 1 for a single prompt, 1 for no effect", () => {
    expect(signFlipP([1, 2, 3, 4, 5], 0)).toBe(2 / 32);
    expect(signFlipP([3], 0)).toBe(1);
    expect(signFlipP([0, 0, 0], 0)).toBe(1);
    expect(signFlipP([1, -1, 2, -2], 0)).toBe(1);
    expect(signFlipP(new Array<number>(20).fill(1), 0)).toBeLessThan(2 / 4096);
  });

  it("Benjamini–Hochberg on the example of a formula", () => {
    expect(falseDiscoveryRates([0.01, 0.04, 0.03, 0.5])).toEqual([0.04, (0.04 * 4) / 3, (0.04 * 4) / 3, 0.5]);
    expect(falseDiscoveryRates([])).toEqual([]);
  });
});
