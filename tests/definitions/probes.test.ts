/**
 * What probes and sinks are held to, by the numbers of the list of tests that none may skip: 1 to 10; and errors that
 * others made. Numbers that are not here have their tests elsewhere: 1 and 2 in tests/interventions/laws.test.ts and
 * tests/models/laws.test.ts, 9 in tests/probes/blocks.test.ts and tests/graph/blocks.test.ts, 10 in the tests of views;
 * those of heads in heads.test.ts beside this file.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model, ModelInput, Tensor } from "../../kernel/lib/index.js";
import { load, probes, sinks, tensor } from "../../kernel/lib/index.js";
import { indices, sumOf } from "../interventions/patterns.js";
import { readOracle } from "../models/oracle.js";

const T = 8;
const random = [5, 17, 9, 33, 21, 40, 8, 12];
const repeated = [5, 17, 9, 33, 5, 17, 9, 33];

/** Every head of layer 0 attends by a table of ours. */
function attendBy(rule: (q: number, k: number) => number): GraphEdit {
  const table = tensor([[indices(T).map((q) => indices(T).map((k) => rule(q, k)))]]);
  return {
    name: "a constructed pattern",
    at: ["blocks.0.attn.pattern"],
    edit: (value, { feed, model }) => {
      const data = new Float32Array(model.heads * T * T).map((_, i) => Number(table.data[i % (T * T)]));
      return feed("table", tensor(Array.from(data), "float32").reshape([1, model.heads, T, T]), value.shape);
    },
  };
}

/** Layer 0 of what a probe measured, one number per head. */
const firstLayer = (found: Tensor): readonly number[] => Array.from(found.slice(0, 0).numbers());

let gpt2: Model;
let llama: Model;
beforeAll(async () => {
  gpt2 = await load((await readOracle("gpt2")).folder);
  llama = await load((await readOracle("llama_rope3")).folder);
});
afterAll(async () => {
  await gpt2.dispose();
  await llama.dispose();
});

describe("3. rows of a softmax sum to 1, or to 1 minus the mass of the sink", () => {
  const toAll = probes.setMass({ name: "all", to: () => true });
  it.each(["gpt2", "gemma2", "mistral", "gpt_oss"])("%s", async (family) => {
    const model = await load((await readOracle(family)).folder);
    const run = await model.run({ inputIds: [random] }, { patterns: false, probes: [toAll] });
    for (const sum of run.probe("all").numbers()) {
      if (family === "gpt_oss") expect(sum).toBeLessThan(1 - 1e-4);
      else expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
    }
    await model.dispose();
  });
});

describe("4. a layer with a window and one without, on a prompt longer than the window", () => {
  it("a query looks no farther than its window; scores of hidden keys are in no mean", async () => {
    const model = await load((await readOracle("gemma2")).folder);
    const ids = indices(12).map((t) => 5 + 7 * t);
    const run = await model.run({ inputIds: [ids] }, { probes: [probes.massPerKey(), probes.sinkLogit()] });
    // Layers 0 and 2 show four keys, layer 1 all.
    for (const layer of [0, 1, 2]) {
      const received = run.probe("massPerKey").item(0, layer, 0, 0);
      const pattern = run.at(`blocks.${layer}.attn.pattern`);
      const early = sumOf(4, (q) => pattern.item(0, 0, q, 0)) / 12;
      if (layer === 1) expect(received).toBeGreaterThan(early + 1e-6);
      else expect(Math.abs(received - early)).toBeLessThan(1e-6);
      const logits = run.probe("sinkLogit").slice(0, layer, 0).numbers();
      expect(logits.every((x) => Math.abs(x) < 100)).toBe(true);
      expect(logits[11] === 0).toBe(layer !== 1);
    }
    await model.dispose();
  });
});

it("5. grouped heads: the heads of a group read one value, those of other groups another", async () => {
  const norms = probes.headNorms({ of: "v", ov: false });
  const found = (await llama.run({ inputIds: [random] }, { patterns: false, probes: [norms] })).probe(norms.name);
  const of = (head: number): readonly number[] => Array.from(found.slice(0, 1, head).numbers());
  expect([llama.heads, llama.kvHeads]).toEqual([4, 2]);
  expect(of(0)).toEqual(of(1));
  expect(of(2)).toEqual(of(3));
  expect(of(0)).not.toEqual(of(2));
});

it("6. inputs are never changed, and a second call gives the same", async () => {
  const input: ModelInput = Object.freeze({
    inputIds: [Object.freeze([...random]) as number[], Object.freeze([...repeated]) as number[]],
  });
  const before = JSON.stringify(input);
  const options = Object.freeze({ probes: Object.freeze([probes.massPerKey({ without: [0] }), probes.rowEntropy()]) });
  const first = await gpt2.run(input, options);
  const kept = Array.from(first.at("blocks.0.attn.pattern").numbers());
  const again = await gpt2.run(input, options);
  for (const { name } of options.probes) expect(again.probe(name).data).toEqual(first.probe(name).data);
  expect(Array.from(first.at("blocks.0.attn.pattern").numbers())).toEqual(kept);
  const reports = [await sinks(gpt2, input), await sinks(gpt2, input)];
  expect(reports[1].heads).toEqual(reports[0].heads);
  expect(JSON.stringify(input)).toBe(before);
});

it("7. a list is the mean of its members, with the options of each", async () => {
  const together = await sinks(gpt2, { inputIds: [random, repeated] });
  const [one, other] = [await sinks(gpt2, { inputIds: [random] }), await sinks(gpt2, { inputIds: [repeated] })];
  together.heads.forEach((head, i) => {
    expect(head.received).toBe((one.heads[i].received + other.heads[i].received) / 2);
    expect(head.receivedWithoutFirst).toBe(
      (one.heads[i].receivedWithoutFirst + other.heads[i].receivedWithoutFirst) / 2,
    );
  });
  const options = { patterns: false, probes: [probes.distance({ without: [0] })] };
  const both = (await gpt2.run({ inputIds: [random, repeated] }, options)).probe("distance without");
  const alone = (await gpt2.run({ inputIds: [repeated] }, options)).probe("distance without");
  both.slice(1).numbers().forEach((x, i) => expect(Math.abs(x - alone.slice(0).numbers()[i])).toBeLessThan(1e-4)); // prettier-ignore
});

describe("8. detectors on constructed heads", () => {
  const measure = async (ids: readonly number[], edit: GraphEdit, probe: ReturnType<typeof probes.role>) => {
    const run = await gpt2.run({ inputIds: [[...ids]] }, { patterns: false, interventions: [edit], probes: [probe] });
    return firstLayer(run.probe(probe.name));
  };
  const previous = attendBy((q, k) => (k === Math.max(q - 1, 0) ? 1 : 0));
  const induction = attendBy((q, k) => (k === (q < 4 ? 0 : q - 3) ? 1 : 0));
  const duplicate = attendBy((q, k) => (k === (q < 4 ? 0 : q - 4) ? 1 : 0));
  const even = attendBy((q, k) => (k <= q ? 1 / (q + 1) : 0));
  const sink = attendBy((_, k) => (k === 0 ? 1 : 0));

  it("a perfect head has exactly 1 in the mean over its diagonal, and per mass that is not on token 0", async () => {
    for (const [ids, edit, offset] of [
      [random, previous, 1],
      [repeated, induction, 3],
      [repeated, duplicate, 4],
    ] as const) {
      // Rows that have the key but attend to token 0 instead, as induction at q = 3 does, are the head's own affair.
      const found = await measure(ids, edit, probes.diagonal({ offset }));
      for (const score of found) expect(score).toBe(1);
    }
    for (const score of await measure(random, previous, probes.role({ role: "previous", without: [0] }))) {
      expect(score).toBe(1);
    }
  });

  it("row 0 dilutes the share of the mass: a perfect previous-token head has (T − 1)/T = 0.875", async () => {
    for (const score of await measure(random, previous, probes.role({ role: "previous" }))) expect(score).toBe(0.875);
  });

  it("even heads have the analytic value", async () => {
    for (const offset of [1, 3, 4]) {
      const expected = sumOf(T - offset, (i) => 1 / (i + offset + 1)) / (T - offset);
      for (const score of await measure(random, even, probes.diagonal({ offset }))) {
        expect(Math.abs(score - expected)).toBeLessThan(1e-6);
      }
    }
    const role = sumOf(T - 1, (i) => 1 / (i + 2)) / T;
    for (const score of await measure(random, even, probes.role({ role: "previous" }))) {
      expect(Math.abs(score - role)).toBeLessThan(1e-6);
    }
  });

  it("distances of constructed heads: windowed 0 on itself, 1 before it; the sink is read by all that comes after", async () => {
    const itself = attendBy((q, k) => (k === q ? 1 : 0));
    const inOne = async (edit: GraphEdit, probe: ReturnType<typeof probes.role>): Promise<readonly number[]> =>
      (await measure(random, edit, probe)).slice(0, T);
    expect(await inOne(itself, probes.windowedDistance())).toEqual(new Array(T).fill(0));
    expect(await inOne(previous, probes.windowedDistance())).toEqual([0, 1, 1, 1, 1, 1, 1, 1]);
    expect(await inOne(sink, probes.windowedDistance({ window: 3 }))).toEqual([0, 1, 2, 3, 3, 3, 3, 3]);
    expect(await inOne(sink, probes.futureInfluence({ from: 2, to: 4 }))).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(await inOne(sink, probes.massPerKey())).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(await inOne(sink, probes.rowEntropy())).toEqual(new Array(T).fill(0));
  });
});

describe("errors that others made", () => {
  it("a prompt as long as the model's positions is accepted", async () => {
    const ids = indices(gpt2.positions).map((t) => 5 + ((7 * t) % 80));
    const report = await sinks(gpt2, { inputIds: [ids] });
    expect(report.keys).toBe(gpt2.positions);
  });

  it("thresholds are applied to each prompt, then averaged; the curve has a step where each α lies", async () => {
    const report = await sinks(gpt2, { inputIds: [random, repeated] });
    const alphas = report.samples.flatMap(({ received }) =>
      indices(gpt2.layers).flatMap((l) => indices(gpt2.heads).map((h) => received.item(l, h, 0))),
    );
    for (const epsilon of [0.05, 0.1, 0.2, 0.3]) {
      expect(report.rate(0, epsilon)).toBeCloseTo(alphas.filter((x) => x > epsilon).length / alphas.length, 12);
    }
    expect(report.curve(0).map(({ epsilon }) => epsilon)).toEqual([0, ...[...new Set(alphas)].sort((a, b) => a - b)]);
  });

  it("two models side by side measure what each alone does", async () => {
    const alone = await sinks(gpt2, { inputIds: [random] });
    await sinks(llama, { inputIds: [random] });
    expect((await sinks(gpt2, { inputIds: [random] })).heads).toEqual(alone.heads);
  });
});
