import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SinkReport } from "../../kernel/lib/index.js";
import { dormancy, load, random, sinks, tensor, visualSinks } from "../../kernel/lib/index.js";
import { medianSize } from "../../kernel/lib/analyses/parts/median.js";
import { outliers, residualState } from "../../kernel/lib/analyses/parts/residual.js";
import { firstTokenLife, secondarySinks } from "../../kernel/lib/analyses/parts/secondarySinks.js";
import { curvesMime, matrixMime, panelsMime, readPanels } from "../../kernel/lib/views/index.js";
import { reader, sumOf } from "../interventions/patterns.js";
import { readOracle } from "../models/oracle.js";
import { dimension, plantDrained, plantedModel, plantEven, plantImage, plantSink, width } from "./plantedModel.js";

const T = 12;
const row = (shift: number): number[] => Array.from({ length: T }, (_, t) => 5 + ((7 * t + shift) % 80));
const prompts = { inputIds: [row(0), row(31)] };

describe("sinks on a model with a planted sink", () => {
  let found: SinkReport;
  let end: () => Promise<void>;
  beforeAll(async () => {
    const { model, remove } = await plantedModel(plantSink);
    end = remove;
    found = await sinks(model, prompts);
  });
  afterAll(() => end());

  it("finds it in every head, at every ε, and at no other key", () => {
    for (const epsilon of [0.1, 0.3, 0.9, 0.999]) {
      expect(found.rate(0, epsilon)).toBe(1);
      for (let key = 1; key < T; key++) expect(found.rate(key, epsilon)).toBe(0);
    }
    expect(found.curve(0).find(({ rate }) => rate < 1)!.epsilon).toBeGreaterThan(0.999);
    expect(found.topKeys[0].key).toBe(0);
    expect(found.firstTokens.map(({ share }) => share)).toEqual([0.5, 0.5]);
    expect(found.weights).toBe("raw");
    for (const head of found.heads) {
      expect(head.rowEntropy).toBeLessThan(1e-3);
      expect(head.columnEntropy).toBeGreaterThan(0.99);
      expect(head.sinkLogit).toBeGreaterThan(50);
      expect(head.drain).toBeLessThan(Infinity);
    }
  });

  it("names every head a sink head, by thresholds that are arguments", () => {
    expect(found.sinkHeads()).toEqual(found.heads);
    expect(found.sinkHeads({ received: 1 })).toEqual([]);
    expect(() => found.sinkHeads({ epsilon: 0.3 } as object)).toThrow(/unknown option "epsilon"/);
    for (const { receivedWithoutFirst } of found.samples) {
      for (let l = 0; l < 3; l++) for (let h = 0; h < 4; h++) expect(receivedWithoutFirst.item(l, h, 0)).toBe(0);
    }
  });

  it("finds exactly the massive activation, and the peak of the residual stream", () => {
    const places = found.massive.map(
      ({ prompt, layer, position, dimension: at }) => `${prompt} ${layer} ${position} ${at}`,
    );
    expect(places).toEqual(
      [0, 1].flatMap((prompt) => [-1, 0, 1, 2].map((layer) => `${prompt} ${layer} 0 ${dimension}`)),
    );
    for (const { first, others } of found.residualPeaks) expect(first / others).toBeGreaterThan(100);
    expect(found.secondary.filter(({ kind }) => kind !== "noise")).toEqual([]);
  });

  it("shows itself: what token 0 is, the curves as a picture, the heads as a table", () => {
    const show = (found as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]();
    expect(show["text/plain"]).toMatch(/Token 0 is “.+” in 50 %, “.+” in 50 % of the prompts/);
    expect(show["text/plain"]).toMatch(/^100 % of heads put more than 0\.3 on token 0/m);
    expect(found.toSvg()).toMatch(/^<svg [\s\S]*key 3[\s\S]*threshold ε[\s\S]*<\/svg>$/);
    expect(found.toSvg()).not.toMatch(/<script|NaN|undefined/);
  });

  it("draws what it measured: curves, heads, drain, tokens and norms, number by number", () => {
    const show = (found as unknown as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]();
    const { panels, summary } = readPanels(show[panelsMime]);
    expect(summary).toEqual(found.summary.split("\n").slice(1));
    const names = panels.map(({ name }) => name);
    expect(names).toEqual(["ε-curves", "heads", "drain", "layer × token", "norms"]);
    const [curves, heads, drain, tokens, norms] = panels;
    if (curves.mime !== curvesMime || norms.mime !== curvesMime) throw new Error("curves expected");
    if (heads.mime !== matrixMime || drain.mime !== matrixMime || tokens.mime !== matrixMime) throw new Error("maps");
    expect(curves.payload.curves[0].y[0]).toBeCloseTo(found.rate(0, 0), 5);
    heads.payload.values.forEach((value, at) => expect(value).toBeCloseTo(found.heads[at].received, 5));
    drain.payload.values.forEach((value, at) => {
      const { drain: ratio } = found.heads[at];
      if (ratio === 0) expect(value).toBeNull();
      else expect(value).toBeCloseTo(Math.log2(ratio), 4);
    });
    expect(tokens.payload.columns.labels).toEqual(found.samples[0].tokens);
    const { received } = found.samples[0];
    const mean =
      [...Array(found.headCount).keys()].reduce((sum, h) => sum + received.item(1, h, 2), 0) / found.headCount;
    expect(tokens.payload.values[found.samples[0].tokens.length + 2]).toBeCloseTo(mean, 5);
    const [first] = norms.payload.curves;
    found.residualPeaks.forEach((peak, state) => expect(first.y[state]! / peak.first).toBeCloseTo(1, 4));
  });
});

describe("sinks on a model without", () => {
  it("finds nothing where attention is even: α_0 is exactly Σ 1/(q + 1) / T", async () => {
    const { model, remove } = await plantedModel(plantEven);
    const found = await sinks(model, prompts);
    const even = sumOf(T, (q) => 1 / (q + 1)) / T;
    expect([found.rate(0, 0.3), found.rate(0, even + 1e-6), found.rate(0, even - 1e-6)]).toEqual([0, 0, 1]);
    expect(found.massive).toEqual([]);
    expect(found.secondary.filter(({ kind }) => kind !== "noise")).toEqual([]);
    for (const head of found.heads) {
      expect(Math.abs(head.received - even)).toBeLessThan(1e-6);
      expect(Math.abs(head.rowEntropy - 1)).toBeLessThan(1e-6);
      expect(Math.abs(head.sinkLogit)).toBeLessThan(1e-6);
      // Of what is not on token 0, row q puts 1/q on each of keys 1 … q: key 1 has most.
      const rest = sumOf(T - 1, (i) => 1 / (i + 1)) / (T - 1);
      expect(Math.abs(head.receivedWithoutFirst - rest)).toBeLessThan(1e-6);
    }
    expect(found.sinkHeads()).toEqual([]);
    await remove();
  });

  it("says of a random model what loops over its tensors say, per prompt and then on average", async () => {
    const model = await load((await readOracle("llama_rope3")).folder);
    const [together, first, second] = [
      await sinks(model, { inputIds: [row(0), row(40).slice(0, 9)] }),
      await sinks(model, { inputIds: [row(0)] }),
      await sinks(model, { inputIds: [row(40).slice(0, 9)] }),
    ];
    const run = await model.run({ inputIds: [row(0)] }, { capture: ["blocks.*.attn.v", "blocks.*.resid_post"] });
    const a = reader(run.at("blocks.1.attn.pattern"));
    const alpha = (k: number): number => sumOf(T - k, (i) => a(0, 2, k + i, k)) / (T - k);
    const norm = (k: number): number => Math.hypot(...run.at("blocks.1.attn.v").slice(0, 1, k).numbers());
    const head = first.heads[model.heads + 2];
    expect([head.layer, head.head]).toEqual([1, 2]);
    expect(Math.abs(head.received - alpha(0))).toBeLessThan(1e-6);
    expect(Math.abs(first.samples[0].received.item(1, 2, 4) - alpha(4))).toBeLessThan(1e-6);
    expect(Math.abs(head.plainDrain - norm(0) / (sumOf(T - 1, (i) => norm(i + 1)) / (T - 1)))).toBeLessThan(1e-5);
    const post = run.at("blocks.2.resid_post");
    expect(Math.abs(first.residualPeaks[3].first - Math.hypot(...post.slice(0, 0).numbers()))).toBeLessThan(1e-3);
    for (const [i, one] of together.heads.entries()) {
      expect(one.received).toBe((first.heads[i].received + second.heads[i].received) / 2);
      expect(one.rowEntropy).toBe((first.heads[i].rowEntropy + second.heads[i].rowEntropy) / 2);
    }
    // Threshold per sample, then average: never the threshold of an average.
    for (const epsilon of [0.1, 0.2, 0.3]) {
      expect(together.rate(0, epsilon)).toBeCloseTo((first.rate(0, epsilon) + second.rate(0, epsilon)) / 2, 12);
    }
    expect(() => together.rate(9, 0.3)).toThrow(/no key 9 in every prompt; expected 0 … 8/);
    await expect(sinks(model, { inputIds: [[1, 2]] })).rejects.toThrow(/prompt 0 must have at least 4 tokens/);
    await expect(sinks(model, prompts, { epsilon: 0.3 } as object)).rejects.toThrow(/unknown option "epsilon"/);
    await model.dispose();
  });
});

describe("dormant heads", () => {
  const domains = { one: prompts, other: { inputIds: [row(9), row(17)] } };

  it("are all heads that rest on a drained token, on every domain, and cost exactly nothing", async () => {
    const { model, remove } = await plantedModel(plantDrained);
    const table = await dormancy(model, domains, { layers: [0, 2], heads: [1] });
    expect(table.rows.map(({ domain, layer, head }) => `${domain} ${layer} ${head}`)).toEqual(
      ["one", "other"].flatMap((domain) => [`${domain} 0 1`, `${domain} 2 1`]),
    );
    for (const found of table.rows) {
      expect(found).toMatchObject({ effect: 0, low: 0, high: 0, toBos: 0, state: "dormant" });
      expect(found.sinkMass).toBeGreaterThan(0.999);
    }
    expect(table.switching).toEqual([]);
    expect(table.summary).toMatch(/^Dormant heads of .*\none: 2 dormant, 0 active\nother: 2 dormant, 0 active$/);
    expect(table.toCsv()).toMatch(/^domain,layer,head,sinkMass,effect,low,high,toBos,state\r?\none,0,1,/);
    await remove();
  });

  it("are none where attention is even, or where the loss says that they work", async () => {
    const even = await plantedModel(plantEven);
    const found = await dormancy(even.model, { one: prompts }, { layers: [0] });
    expect(found.rows.map(({ state }) => state)).not.toContain("dormant");
    for (const { sinkMass } of found.rows) {
      expect(Math.abs(sinkMass - sumOf(T - 1, (i) => 1 / (i + 2)) / (T - 1))).toBeLessThan(1e-6);
    }
    await even.remove();
    const working = await plantedModel(plantSink);
    const strict = await dormancy(working.model, { one: prompts }, { layers: [0], loss: 0 });
    expect(strict.rows.map(({ state }) => state)).not.toContain("dormant");
    await expect(dormancy(working.model, { one: { inputIds: [row(0)] } })).rejects.toThrow(
      /domain "one" must have at least 2 prompts, got 1/,
    );
    await working.remove();
  });
});

describe("visual sinks", () => {
  const options = { image: [3, 4, 5, 6], tau: 6, layers: [0, 1, 2] };

  it("are exactly the image's tokens that are massive where token 0 is", async () => {
    const { model, remove } = await plantedModel(plantImage(4));
    const found = await visualSinks(model, prompts, options);
    expect(found.dimensions[0]).toBe(dimension);
    expect(found.sinks.map(({ prompt, layer, position }) => `${prompt} ${layer} ${position}`)).toEqual(
      [0, 1].flatMap((prompt) => [0, 1, 2].map((layer) => `${prompt} ${layer} 4`)),
    );
    for (const { phi, received } of found.sinks) {
      expect(Math.abs(phi - Math.sqrt(width))).toBeLessThan(1e-3);
      // Even attention: key 4 receives the mean over q ≥ 4 of 1/(q + 1).
      expect(Math.abs(received - sumOf(T - 4, (i) => 1 / (i + 5)) / (T - 4))).toBeLessThan(1e-6);
    }
    expect(found.firstTokens).toHaveLength(2);
    // Outside of the image it does not count.
    expect((await visualSinks(model, prompts, { ...options, image: [5, 6] })).sinks).toEqual([]);
    await expect(visualSinks(model, prompts, { ...options, dimensions: [48] })).rejects.toThrow(
      /dimensions must be whole numbers in 0 … 47, got \[48\]/,
    );
    await remove();
  });

  it("are none where no token is massive", async () => {
    const { model, remove } = await plantedModel(plantImage(undefined));
    expect((await visualSinks(model, prompts, options)).sinks).toEqual([]);
    await expect(visualSinks(model, prompts, {})).rejects.toThrow(/layers must be whole numbers in 0 … 2, got \[\]/);
    await remove();
  });
});

describe("parts of the sink report", () => {
  /** States of 3 tokens in 2 dimensions: token 0 is long from state 2 to 5; token 1 points its way for some of them. */
  const statesOf = (layers: number, alike: (state: number) => boolean, peak: readonly [number, number]) => {
    const states = Array.from({ length: layers + 1 }, (_, s) => [
      [s >= peak[0] && s < peak[1] ? 500 : 1, 0],
      [alike(s) ? 3 : 0, alike(s) ? 0.5 : 3],
      [0, 1],
    ]);
    return states.map((tokens) => residualState(tensor([tokens]), [0, 1, 2]));
  };

  it("token 0's life goes from its largest rise to its largest fall", () => {
    expect(firstTokenLife([1, 2, 90, 91, 92, 3, 2])).toEqual([2, 5]);
    expect(firstTokenLife([1, 1, 50, 50])).toEqual([2, 3]);
  });

  it.each([
    [32, 10, "secondary"],
    [32, 3, "noise"],
    [32, 20, "primary"],
    [40, 24, "secondary"],
    [12, 4, "secondary"],
    [12, 1, "noise"],
    [12, 7, "primary"],
  ])("in %i layers, %i states alike are %s", (layers, lifetime, kind) => {
    const found = secondarySinks(statesOf(layers, (s) => s >= 3 && s < 3 + lifetime, [2, layers - 2]));
    expect(found).toEqual([{ position: 1, createdAfter: 2, lifetime, share: lifetime / (layers - 4), kind }]);
  });

  it("nothing is alike: no candidates", () => {
    expect(secondarySinks(statesOf(32, () => false, [2, 30]))).toEqual([]);
  });

  it("massive activations pass both thresholds", () => {
    const rows = [Float32Array.of(101, 0.0625, 0.0625), Float32Array.of(0.0625, 99, 0.0625)];
    expect(outliers(rows)).toEqual([{ position: 0, dimension: 0, value: 101, median: 0.0625 }]);
    expect(outliers([Float32Array.of(101, 0.2, 0.2)])).toEqual([]);
  });

  it("the median is that of all magnitudes in order", () => {
    expect([
      medianSize([Float32Array.of(3, -1, 2)]),
      medianSize([Float32Array.of(4, -1), Float32Array.of(2, 3)]),
      medianSize([Float32Array.of(-0, 0, 5, -1e-45, 3e38)]),
    ]).toEqual([2, 2.5, Math.fround(1e-45)]);
    for (const length of [1, 2, 63, 1000, 4097]) {
      const numbers = random(length).normal([length]).data as Float32Array;
      const scaled = numbers.map((x, i) => x * 10 ** ((i % 7) - 3));
      const sorted = Float64Array.from(scaled, Math.abs).sort();
      const [low, high] = [sorted[(length - 1) >> 1], sorted[length >> 1]];
      expect(medianSize([scaled.subarray(0, length >> 1), scaled.subarray(length >> 1)])).toBe((low + high) / 2);
    }
  });

  it("a state is measured where it lies, padding left out", () => {
    const rows = [[3, 4], [9e3, 1], [-6, -8], [0, 0], [4, -3]]; // prettier-ignore
    const { norms, cosines, massive } = residualState(tensor([rows]), [0, 2, 3, 4]);
    expect([...norms]).toEqual([5, 10, 0, 5]);
    expect([...cosines]).toEqual([1, -1, 0, 0]);
    expect(massive).toEqual([]);
  });
});
