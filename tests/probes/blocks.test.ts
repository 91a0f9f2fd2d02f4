import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import { inBlocks } from "../../kernel/lib/graph/index.js";
import type { Model, ModelInput, Probe, Tensor } from "../../kernel/lib/index.js";
import { graph, interventions, load, probes } from "../../kernel/lib/index.js";
import { readOracle } from "../models/oracle.js";

const ids = [5, 6, 7, 5, 6, 7, 5, 6, 9, 9, 4];
const input: ModelInput = {
  inputIds: [ids, [9, 8, 9, 8, 3, 3, 3, 3, 3, 3, 3]],
  attentionMask: [ids.map(() => 1), [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]],
};

const all: readonly Probe[] = [
  probes.massPerKey(),
  probes.massPerKey({ without: [0] }),
  probes.rowEntropy(),
  probes.rowEntropy({ relative: true }),
  probes.rowEntropy({ without: [0] }),
  probes.columnEntropy(),
  probes.columnEntropy({ relative: true }),
  probes.distance(),
  probes.distance({ without: [0] }),
  probes.windowedDistance({ window: 3 }),
  probes.futureInfluence({ from: 2, to: 5 }),
  probes.diagonal({ offset: 1 }),
  probes.diagonal({ offset: 3 }),
  probes.setMass({ name: "bos", to: [0], from: [2, 3] }),
  probes.role({ role: "previous" }),
  probes.role({ role: "duplicate" }),
  probes.role({ role: "induction", without: [0] }),
  probes.headNorms(),
  probes.headNorms({ of: "v", ov: false }),
  probes.sinkLogit(),
  probes.topKeys({ count: 2, give: "keys" }),
  probes.topKeys({ count: 2, give: "weights" }),
];

/** All but those that read a key by its place or rank: every other reads no key after its query. */
const backwards = all.filter(({ name }) => !/^(diagonal|topKeys)/.test(name));

/** The largest difference, as a share of what is compared where that is above 1. */
function apart(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.numbers(), b.numbers()];
  expect(x.every(Number.isFinite)).toBe(true);
  return x.reduce((worst, value, i) => Math.max(worst, Math.abs(value - y[i]) / Math.max(1, Math.abs(y[i]))), 0);
}

/** Grouped heads, sliding windows, softcaps, relative positions, ALiBi by head and by key, sink logits, both ways. */
const families = [
  ...[
    "gpt2",
    "llama_rope3",
    "mistral",
    "gemma2",
    "gemma3",
    "bloom",
    "falcon_alibi",
    "gpt_neo",
    "gpt_oss",
    "modernbert",
  ],
  ...["bert", "deberta_v2"],
];

describe.each(families)("probes of %s in blocks of queries", (family) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(family)).folder);
  });
  afterAll(() => model.dispose());

  it("equal those of whole patterns to 1e-6, and so do the outputs", async () => {
    const whole = await model.run(input, { patterns: false, probes: all });
    for (const queriesPerBlock of [4, 64]) {
      const blocks = await model.run(input, { patterns: false, probes: all, queriesPerBlock });
      for (const { name } of all) {
        // ln S − Σ A ln A / S: rounding counts times |ln A|, where a key receives little.
        // Products of another number of rows round otherwise, which the gates of experts enlarge.
        const tolerance = name.startsWith("columnEntropy") || family === "gpt_oss" ? 5e-6 : 1e-6;
        expect(apart(blocks.probe(name), whole.probe(name)), name).toBeLessThan(tolerance);
      }
      for (const address of whole.addresses) expect(apart(blocks.at(address), whole.at(address))).toBeLessThan(1e-5);
    }
  });

  it("equal them without padding as well, where a block reads the keys up to its own end alone", async () => {
    const single = { inputIds: [ids] };
    const whole = await model.run(single, { patterns: false, probes: backwards });
    for (const queriesPerBlock of [3, 4]) {
      const blocks = await model.run(single, { patterns: false, probes: backwards, queriesPerBlock });
      for (const { name } of backwards) {
        const tolerance = name.startsWith("columnEntropy") || family === "gpt_oss" ? 5e-6 : 1e-6;
        expect(apart(blocks.probe(name), whole.probe(name)), name).toBeLessThan(tolerance);
      }
      for (const address of whole.addresses) expect(apart(blocks.at(address), whole.at(address))).toBeLessThan(1e-5);
    }
  });
});

/** Every value of a graph, those in the bodies of loops included. */
function allValues(outputs: Readonly<Record<string, Value>>): ReadonlySet<Value> {
  const found = new Set<Value>();
  const stack = Object.values(outputs);
  while (stack.length > 0) {
    const value = stack.pop()!;
    if (found.has(value)) continue;
    found.add(value);
    stack.push(...value.inputs, ...(value.loop ? [...value.loop.next, ...value.loop.collect] : []));
  }
  return found;
}

const isTable = ({ shape }: Value): boolean => shape.filter((dim) => String(dim).includes("query")).length > 1;

describe("what blocks of queries keep", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle("llama_rope3")).folder);
  });
  afterAll(() => model.dispose());

  it("no value of the graph of all probes and of the model's outputs is a table of queries and keys", async () => {
    let written: Record<string, Value> = {};
    await model.compute(input, (site) => {
      written = {
        ...Object.fromEntries(all.map((probe) => [probe.name, probe.measure(site)])),
        out: site.at("logits"),
      };
      return { length: graph.build.reduceSum(site.real) };
    });
    expect([...allValues(written)].some(isTable)).toBe(true);
    const blocks = inBlocks(written, { word: "query", length: 11, rows: 4, narrow: 0 });
    expect([...allValues(blocks.outputs)].filter(isTable)).toEqual([]);
  });

  /** How many keys the tables of two queries have, in blocks of two in six parts. */
  const keysRead = async (measured: readonly Probe[]): Promise<readonly unknown[]> => {
    let written: Record<string, Value> = {};
    await model.compute({ inputIds: [ids] }, (site) => {
      written = Object.fromEntries(measured.map((probe) => [probe.name, probe.measure(site)]));
      return { length: graph.build.reduceSum(site.real) };
    });
    const { outputs } = inBlocks(written, { word: "query", length: 11, rows: 2, narrow: 0, parts: 6 });
    const tables = [...allValues(outputs)].filter(({ op, shape }) => op === "Softmax" && shape.at(-2) === 2);
    return [...new Set(tables.map(({ shape }) => shape.at(-1)))].sort((a, b) => Number(a) - Number(b));
  };

  it("each part of the queries reads the keys up to its own end, where nothing else is asked for", async () => {
    expect(await keysRead(backwards)).toEqual([2, 4, 6, 8, 10, 11]);
    expect(await keysRead([...backwards, probes.topKeys({ count: 1, give: "keys" })])).toContain("query");
    expect(await keysRead([probes.diagonal({ offset: 1 })])).toContain("query");
  });

  it("patterns that are asked for are there, and the same", async () => {
    const whole = await model.run(input, { probes: [probes.massPerKey()] });
    const blocks = await model.run(input, { probes: [probes.massPerKey()], queriesPerBlock: 3 });
    for (const address of whole.addresses) expect(apart(blocks.at(address), whole.at(address))).toBeLessThan(1e-6);
  });

  it("interventions act in blocks as they do elsewhere", async () => {
    const options = {
      patterns: false,
      probes: [probes.massPerKey()],
      interventions: [
        interventions.act({ layer: [1, 2] }),
        interventions.logitBias({ keys: [0], gamma: 2 }),
        interventions.zeroZ({ layer: 0, head: 1 }),
      ],
    };
    const whole = await model.run(input, options);
    const blocks = await model.run(input, { ...options, queriesPerBlock: 4 });
    expect(apart(blocks.probe("massPerKey"), whole.probe("massPerKey"))).toBeLessThan(1e-6);
    expect(apart(blocks.logits, whole.logits)).toBeLessThan(1e-5);
    blocks.reports.forEach(({ changed }, i) => expect(apart(changed, whole.reports[i].changed)).toBeLessThan(1e-6));
  });

  it("logits are left out on request, and numbers of queries that are none are refused", async () => {
    const run = await model.run(input, { patterns: false, outputs: false, probes: [probes.massPerKey()] });
    expect(run.addresses).toEqual([]);
    for (const queriesPerBlock of [0, 2.5, NaN]) {
      const asked = model.run(input, { probes: [probes.massPerKey()], queriesPerBlock });
      await expect(asked).rejects.toThrow(/queriesPerBlock: expected a whole number of at least 1, or Infinity, got/);
    }
  });

  it("what needs a whole pattern is refused where blocks are asked for", async () => {
    const asked = model.compute(
      input,
      ({ at }) => ({ y: graph.build.reduceSum(graph.build.cumSum(at("blocks.0.attn.pattern"), 2)) }),
      { queriesPerBlock: 4 },
    );
    await expect(asked).rejects.toThrow(/CumSum needs all rows of an attention pattern at once; run it without blocks/);
  });
});
