import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model, Run } from "../../kernel/lib/index.js";
import { interventions, load, tensor } from "../../kernel/lib/index.js";
import { readOracle } from "../models/oracle.js";
import { indices, input, reader, sumOf, worst } from "./patterns.js";

const { act, bosPattern, gate, knockout, logitBias, meanZ, redistribute, removeKvHead, removeTokens, replace } =
  interventions;
const { resampleZ, steer, temperature, uniformPattern, zeroColumn, zeroPattern, zeroQ, zeroZ } = interventions;

const real = (b: number): number[] => indices(b === 0 ? 6 : 4);
const [layer, head] = [1, 2];
const [pattern, scores, z] = ["pattern", "scores", "z"].map((part) => `blocks.${layer}.attn.${part}`);

/** Float32 against float64 formulas on numbers of at most 1. */
const tolerance = 2e-6;

describe("interventions do what their formulas say", () => {
  let model: Model;
  let clean: Run;
  beforeAll(async () => {
    model = await load((await readOracle("llama_rope3")).folder);
    clean = await model.run(input, { capture: ["blocks.*.attn.*", "blocks.*.resid_pre"].flatMap(expand) });
  });
  afterAll(() => model.dispose());

  const expand = (address: string): string[] =>
    address.endsWith("*") ? ["scores", "z", "v"].map((part) => address.replace(/\*$/, part)) : [address];
  const run = async (...edits: GraphEdit[]): Promise<Run> =>
    model.run(input, { interventions: edits, capture: [pattern, scores, z, "blocks.*.resid_pre"] });
  /** What the edited layer's other heads compute must not change at all. */
  const onlyHead = (edited: Run, address: string): void => {
    for (const other of indices(model.heads).filter((h) => h !== head)) {
      for (const b of [0, 1]) {
        expect(edited.at(address).slice(b, other).data, `head ${other}`).toEqual(
          clean.at(address).slice(b, other).data,
        );
      }
    }
  };
  const changesLogits = (edited: Run): void =>
    expect(edited.logits.data.some((x, i) => x !== clean.logits.data[i])).toBe(true);

  it("zeroZ, zeroPattern: nothing is read, and both are the same to the last bit", async () => {
    const byZ = await run(zeroZ({ layer, head }));
    const byPattern = await run(zeroPattern({ layer, head }));
    for (const edited of [byZ, byPattern]) {
      onlyHead(edited, z);
      expect(
        edited
          .at(z)
          .slice(0, head)
          .data.every((x) => x === 0),
      ).toBe(true);
      changesLogits(edited);
    }
    expect(byPattern.logits.data).toEqual(byZ.logits.data);
    expect(byZ.reports).toHaveLength(1);
    expect(byPattern.reports[0].changed.slice(0).numbers()).toEqual(Float64Array.from([0, 0, 0.5, 0]));
  });

  it("zeroColumn: all columns of a head are the head", async () => {
    const columns = indices(model.headDim).map((d) => head * model.headDim + d);
    const whole = await run(zeroColumn({ layer, column: columns }));
    expect(whole.logits.data).toEqual((await run(zeroZ({ layer, head }))).logits.data);
    const one = await run(zeroColumn({ layer, column: columns[3] }));
    const zeros = Array.from(one.at(z).slice(0, head, 5).numbers(), (x) => x === 0);
    expect(zeros.indexOf(true)).toBe(3);
    expect(zeros.filter(Boolean)).toHaveLength(1);
  });

  it("gate 1 is the identity, gate 0 the zero, gate 0.5 halves", async () => {
    expect((await run(gate({ layer, head, gate: 1 }))).logits.data).toEqual(clean.logits.data);
    expect((await run(gate({ layer, head, gate: 0 }))).logits.data).toEqual(
      (await run(zeroZ({ layer, head }))).logits.data,
    );
    const half = await run(gate({ layer, head, gate: 0.5 }));
    const before = clean.at(z).slice(0, head).data;
    expect(
      half
        .at(z)
        .slice(0, head)
        .data.every((x, i) => x === Number(before[i]) / 2),
    ).toBe(true);
  });

  it("meanZ: over the real tokens of the batch, over the prompts at a position, over a given data set", async () => {
    const at = reader(clean.at(z));
    const total = sumOf(2, (b) => real(b).length);
    const mean = (d: number): number => sumOf(2, (b) => real(b).reduce((sum, q) => sum + at(b, head, q, d), 0)) / total;
    const byBatch = await run(meanZ({ layer, head, over: "batch" }));
    onlyHead(byBatch, z);
    expect(worst(byBatch.at(z), (b, h, q, d) => (h === head ? mean(d) : at(b, h, q, d)))).toBeLessThan(tolerance);
    const byPosition = await run(meanZ({ layer, head, over: "position" }));
    const here = (q: number, d: number): number => {
      const prompts = [0, 1].filter((b) => real(b).includes(q));
      return prompts.reduce((sum, b) => sum + at(b, head, q, d), 0) / prompts.length;
    };
    expect(worst(byPosition.at(z), (b, h, q, d) => (h === head ? here(q, d) : at(b, h, q, d)))).toBeLessThan(tolerance);
    const means = tensor(
      indices(model.layers).map((l) =>
        indices(model.heads).map((h) => indices(model.headDim).map((d) => l + h / 8 + d / 64)),
      ),
    );
    const given = await run(meanZ({ layer, head, over: means }));
    expect(worst(given.at(z), (b, h, q, d) => (h === head ? layer + head / 8 + d / 64 : at(b, h, q, d)))).toBe(0);
  });

  it("resampleZ: the other prompt's output, and the same again for the same seed", async () => {
    const edited = await run(resampleZ({ layer, head, seed: 5 }));
    onlyHead(edited, z);
    expect(edited.at(z).slice(0, head).data).toEqual(clean.at(z).slice(1, head).data);
    expect(edited.at(z).slice(1, head).data).toEqual(clean.at(z).slice(0, head).data);
    await expect(model.run({ inputIds: [[1, 2]] }, { interventions: [resampleZ()] })).rejects.toThrow(
      /at least two prompts/,
    );
  });

  it("uniformPattern, zeroQ: even over what is visible, and equal where there is no position bias", async () => {
    const uniform = await run(uniformPattern({ layer, head }));
    onlyHead(uniform, pattern);
    const even = (b: number, q: number, k: number): number =>
      k <= q && real(b).includes(k) ? 1 / real(b).filter((key) => key <= q).length : 0;
    const was = reader(clean.at(pattern));
    expect(worst(uniform.at(pattern), (b, h, q, k) => (h === head ? even(b, q, k) : was(b, h, q, k)))).toBeLessThan(
      1e-7,
    );
    const byQ = await run(zeroQ({ layer, head }));
    expect(worst(byQ.at(pattern), (b, h, q, k) => (h === head ? even(b, q, k) : was(b, h, q, k)))).toBeLessThan(1e-7);
    changesLogits(byQ);
    const zero = await run(zeroZ({ layer, head }));
    expect(zero.logits.data, "uniform attention is not a zero output").not.toEqual(uniform.logits.data);
  });

  it("bosPattern: all on the first real token, and reports how much moved", async () => {
    const edited = await run(bosPattern({ layer, head }));
    onlyHead(edited, pattern);
    const was = reader(clean.at(pattern));
    expect(worst(edited.at(pattern), (b, h, q, k) => (h === head ? (k === 0 ? 1 : 0) : was(b, h, q, k)))).toBeLessThan(
      1e-6,
    );
    const moved = (b: number): number => real(b).reduce((sum, q) => sum + 1 - was(b, head, q, 0), 0) / real(b).length;
    const [report] = edited.reports;
    expect([report.intervention, report.address]).toEqual(["bosPattern", pattern]);
    for (const b of [0, 1]) {
      expect(Math.abs(report.changed.item(b, head) - moved(b))).toBeLessThan(tolerance);
      expect(report.changed.item(b, 0)).toBe(0);
    }
  });

  it("removeKvHead: all query heads that read it become zero", async () => {
    expect([model.heads, model.kvHeads]).toEqual([4, 2]);
    const edited = await run(removeKvHead({ layer, kvHead: 1 }));
    expect(edited.logits.data).toEqual((await run(zeroZ({ layer, head: [2, 3] }))).logits.data);
    changesLogits(edited);
    await expect(run(removeKvHead({ layer, kvHead: 2 }))).rejects.toThrow(
      /kvHead must be a whole number in 0 … 1, got 2/,
    );
  });

  it("logitBias is ZeroTuning: a₀′ = γa₀/D, a_i′ = a_i/D, D = (γ − 1)a₀ + 1", async () => {
    const gamma = 3;
    const edited = await run(logitBias({ layer, head, gamma }));
    onlyHead(edited, pattern);
    const was = reader(clean.at(pattern));
    const tuned = (b: number, q: number, k: number): number =>
      (was(b, head, q, k) * (k === 0 ? gamma : 1)) / ((gamma - 1) * was(b, head, q, 0) + 1);
    expect(worst(edited.at(pattern), (b, h, q, k) => (h === head ? tuned(b, q, k) : was(b, h, q, k)))).toBeLessThan(
      tolerance,
    );
    expect((await run(logitBias({ layer, head, gamma: 1 }))).logits.data, "γ = 1").toEqual(clean.logits.data);
    expect(() => logitBias({ gamma: 0 })).toThrow(/gamma must be a number above 0, got 0/);
  });

  it("temperature: softmax of s/τ, hidden keys stay hidden", async () => {
    const edited = await run(temperature({ layer, head, temperature: 0.25 }));
    onlyHead(edited, pattern);
    const s = reader(clean.at(scores));
    const cold = (b: number, q: number, k: number): number => {
      const weight = (key: number): number =>
        key <= q && real(b).includes(key) ? Math.exp(4 * (s(b, head, q, key) - s(b, head, q, 0))) : 0;
      return weight(k) / sumOf(6, weight);
    };
    const was = reader(clean.at(pattern));
    expect(worst(edited.at(pattern), (b, h, q, k) => (h === head ? cold(b, q, k) : was(b, h, q, k)))).toBeLessThan(
      1e-5,
    );
    expect((await run(temperature({ temperature: 1 }))).logits.data, "τ = 1").toEqual(clean.logits.data);
  });

  it("act: sinks but the first lose 1 − β to all others in proportion", async () => {
    const [beta, threshold] = [0.4, 0.12];
    const edited = await run(act({ layer, head, beta, threshold }));
    onlyHead(edited, pattern);
    const was = reader(clean.at(pattern));
    const sinksOf = (b: number): number[] =>
      real(b).filter((k) => {
        const queries = real(b).filter((q) => q >= k);
        return queries.reduce((sum, q) => sum + was(b, head, q, k), 0) / queries.length > threshold;
      });
    expect(sinksOf(0).length).toBeGreaterThan(1);
    const expected = (b: number, q: number, k: number): number => {
      const sinks = sinksOf(b).slice(1);
      const a = was(b, head, q, k);
      if (sinks.includes(k)) return beta * a;
      const taken = sinks.reduce((sum, key) => sum + was(b, head, q, key), 0);
      return a * (1 + ((1 - beta) * taken) / (sumOf(6, (key) => was(b, head, q, key)) - taken));
    };
    const realOnly = (b: number, h: number, q: number, k: number): number =>
      h === head && real(b).includes(q) ? expected(b, q, k) : reader(edited.at(pattern))(b, h, q, k);
    expect(worst(edited.at(pattern), realOnly)).toBeLessThan(tolerance);
    changesLogits(edited);
    expect((await run(act({ layer, threshold: 1 }))).logits.data, "no sink").toEqual(clean.logits.data);
  });

  it("redistribute: image-centric queries after the image move attention from sinks to the image's other tokens", async () => {
    const image = [1, 2, 3];
    const options = { tau: 0.5, imageShare: 0.2, rho: 0.9, p: 0.6, dimensions: [0, 3] };
    const edited = await run(redistribute({ layer, head, image, ...options }));
    onlyHead(edited, pattern);
    const x = clean.at(`blocks.${layer}.resid_pre`);
    const isSink = (b: number, k: number): boolean => {
      const row = x.slice(b, k).numbers();
      const rms = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / row.length + 1e-6);
      return Math.max(...options.dimensions.map((d) => Math.abs(row[d]) / rms)) > options.tau;
    };
    const sinks = [0, 1].map((b) => real(b).filter((k) => isSink(b, k)));
    expect(sinks[0].some((k) => image.includes(k))).toBe(true);
    const was = reader(clean.at(pattern));
    let moved = 0;
    const expected = (b: number, q: number, k: number): number => {
      const a = was(b, head, q, k);
      const over = (keys: number[]): number => keys.reduce((sum, key) => sum + was(b, head, q, key), 0);
      const visual = image.filter((key) => !sinks[b].includes(key));
      const share = over(image.filter((key) => sinks[b].includes(key))) / (over(image) + 1e-6 * image.length);
      if (q <= 3 || over(image) < options.imageShare || share > options.rho || over(visual) === 0) return a;
      moved++;
      if (sinks[b].includes(k)) return options.p * a;
      return visual.includes(k) ? a * (1 + ((1 - options.p) * over(sinks[b])) / over(visual)) : a;
    };
    const realOnly = (b: number, h: number, q: number, k: number): number =>
      h === head && real(b).includes(q) ? expected(b, q, k) : reader(edited.at(pattern))(b, h, q, k);
    expect(worst(edited.at(pattern), realOnly)).toBeLessThan(tolerance);
    expect(moved).toBeGreaterThan(0);
    expect((await run(redistribute({ image, ...options, tau: 1e6 }))).logits.data, "no sink").toEqual(
      clean.logits.data,
    );
  });

  it("knockout: the rest of the row is normalised again, and a row that sees nothing else is 0", async () => {
    const edited = await run(knockout({ layer, head, from: [0, 3], to: [0, 1] }));
    onlyHead(edited, pattern);
    const was = reader(clean.at(pattern));
    const expected = (b: number, q: number, k: number): number => {
      if (q !== 0 && q !== 3) return was(b, head, q, k);
      const rest = was(b, head, q, 2) + was(b, head, q, 3);
      return k < 2 || rest === 0 ? 0 : was(b, head, q, k) / rest;
    };
    expect(worst(edited.at(pattern), (b, h, q, k) => (h === head ? expected(b, q, k) : was(b, h, q, k)))).toBeLessThan(
      tolerance,
    );
    changesLogits(edited);
    const none = await run(knockout({ from: () => false, to: () => true }));
    expect(none.logits.data, "an empty set").toEqual(clean.logits.data);
  });

  it("removeTokens: the others compute what they compute when those are masked as padding", async () => {
    const edited = await run(removeTokens({ tokens: [[1, 3], [2]] }));
    const attentionMask = [
      [1, 0, 1, 0, 1, 1],
      [1, 1, 0, 1, 0, 0],
    ];
    const positionIds = input.inputIds.map((row) => indices(row.length));
    const masked = await model.run({ ...input, attentionMask, positionIds });
    attentionMask.forEach((row, b) =>
      row.forEach((kept, t) => {
        if (kept === 0) return;
        const [a, c] = [edited.logits.slice(b, t).numbers(), masked.logits.slice(b, t).numbers()];
        expect(Math.max(...a.map((v, i) => Math.abs(v - c[i]))), `${b} ${t}`).toBeLessThan(1e-5);
      }),
    );
    changesLogits(edited);
  });

  it("steer, replace: exactly the tokens that are named", async () => {
    const at = `blocks.${layer}.resid_pre`;
    const vector = indices(model.width).map((d) => d / 7);
    const steered = await run(steer({ at, vector, factor: 2, tokens: [4] }));
    for (const t of indices(6)) {
      const [a, c] = [steered.at(at).slice(0, t).numbers(), clean.at(at).slice(0, t).numbers()];
      const expected = c.map((x, d) => (t === 4 ? Math.fround(x + Math.fround(2 * Math.fround(vector[d]))) : x));
      expect(Math.max(...a.map((x, d) => Math.abs(x - expected[d]))), `token ${t}`).toBeLessThan(
        t === 4 ? 1e-5 : 1e-30,
      );
    }
    const back = await model.run(input, {
      interventions: [steer({ at, vector, tokens: [4] }), replace({ at, with: clean.at(at) })],
    });
    expect(back.logits.data, "a later intervention acts on what an earlier one left").toEqual(clean.logits.data);
  });
});
