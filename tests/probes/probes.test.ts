import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model, Run, Tensor } from "../../kernel/lib/index.js";
import { interventions, load, probes, tensor } from "../../kernel/lib/index.js";
import { indices, reader, sumOf } from "../interventions/patterns.js";
import { readOracle } from "../models/oracle.js";

const ids = [5, 6, 7, 5, 6, 7, 5, 6];
const input = {
  inputIds: [ids, [9, 8, 9, 8, 3, 3, 3, 3]],
  attentionMask: [ids.map(() => 1), [1, 1, 1, 1, 0, 0, 0, 0]],
};
const lengths = [8, 4];

/** Float32 sums against float64 sums of the same float32 patterns. */
const tolerance = 1e-6;

const all = [
  probes.massPerKey(),
  probes.rowEntropy(),
  probes.rowEntropy({ relative: true }),
  probes.rowEntropy({ without: [0] }),
  probes.columnEntropy(),
  probes.columnEntropy({ relative: true }),
  probes.distance(),
  probes.distance({ without: [0] }),
  probes.diagonal({ offset: 1 }),
  probes.diagonal({ offset: 3 }),
  probes.setMass({ name: "bos", to: [0], from: [2, 3] }),
  probes.role({ role: "previous" }),
  probes.role({ role: "duplicate" }),
  probes.role({ role: "induction" }),
  probes.role({ role: "induction", without: [0] }),
  probes.headNorms(),
  probes.headNorms({ of: "v" }),
  probes.headNorms({ of: "v", ov: false }),
  probes.sinkLogit(),
  probes.windowedDistance({ window: 3 }),
  probes.windowedDistance({ window: 3, without: [0] }),
  probes.futureInfluence({ from: 2, to: 4 }),
  probes.topKeys({ count: 2, give: "keys" }),
  probes.topKeys({ count: 2, give: "weights" }),
];

describe("probes equal loops over the full pattern", () => {
  let model: Model;
  let run: Run;
  beforeAll(async () => {
    model = await load((await readOracle("llama_rope3")).folder);
    const capture = ["scores", "v", "z"].map((part) => `blocks.*.attn.${part}`);
    run = await model.run(input, { probes: all, capture: [...capture, "blocks.*.attn_out"] });
  });
  afterAll(() => model.dispose());

  /** Compares a probe [B,L,H] with a formula on one head's pattern; `n` real tokens. */
  const perHead = (
    name: string,
    formula: (a: (q: number, k: number) => number, n: number, b: number) => number,
  ): void =>
    compare(run.probe(name), (b, l, h) =>
      formula((q, k) => reader(run.at(`blocks.${l}.attn.pattern`))(b, h, q, k), lengths[b], b),
    );
  const compare = (probe: Tensor, expected: (b: number, l: number, h: number) => number): void => {
    expect(probe.shape).toEqual([2, model.layers, model.heads]);
    for (const b of [0, 1])
      for (const l of indices(model.layers))
        for (const h of indices(model.heads)) {
          expect(Math.abs(probe.item(b, l, h) - expected(b, l, h)), `${b} ${l} ${h}`).toBeLessThan(tolerance);
        }
  };
  /** The same for a probe [B,L,H,T], at real positions. */
  const perToken = (
    name: string,
    formula: (a: (q: number, k: number) => number, t: number, n: number) => number,
  ): void => {
    const probe = run.probe(name);
    expect(probe.shape).toEqual([2, model.layers, model.heads, 8]);
    for (const b of [0, 1])
      for (const l of indices(model.layers))
        for (const h of indices(model.heads))
          for (const t of indices(lengths[b])) {
            const a = (q: number, k: number): number => reader(run.at(`blocks.${l}.attn.pattern`))(b, h, q, k);
            const difference = Math.abs(probe.item(b, l, h, t) - formula(a, t, lengths[b]));
            expect(difference, `${name} ${b} ${l} ${h} ${t}`).toBeLessThan(tolerance);
          }
  };
  const plogp = (p: number): number => (p > 0 ? -p * Math.log(p) : 0);
  const over = (from: number, to: number, term: (i: number) => number): number =>
    sumOf(Math.max(to - from, 0), (i) => term(from + i));

  it("massPerKey", () => {
    perToken("massPerKey", (a, k, n) => over(k, n, (q) => a(q, k)) / (n - k));
    expect(run.probe("massPerKey").slice(1, 0, 0).numbers().slice(4)).toEqual(new Float64Array(4));
  });

  it("rowEntropy: nats, relative, and of what is not on the first token", () => {
    perToken("rowEntropy", (a, q) => over(0, q + 1, (k) => plogp(a(q, k))));
    perToken("rowEntropy, relative", (a, q) => (q === 0 ? 0 : over(0, q + 1, (k) => plogp(a(q, k))) / Math.log(q + 1)));
    perToken("rowEntropy without", (a, q) => {
      const rest = over(1, q + 1, (k) => a(q, k));
      return rest > 0 ? over(1, q + 1, (k) => plogp(a(q, k) / rest)) : 0;
    });
  });

  it("columnEntropy", () => {
    const entropy = (a: (q: number, k: number) => number, k: number, n: number): number => {
      const sum = over(k, n, (q) => a(q, k));
      return over(k, n, (q) => plogp(a(q, k) / sum));
    };
    perToken("columnEntropy", entropy);
    perToken("columnEntropy, relative", (a, k, n) => (k === n - 1 ? 0 : entropy(a, k, n) / Math.log(n - k)));
  });

  it("distance: mean and variance", () => {
    for (const [name, first] of [
      ["distance", 0],
      ["distance without", 1],
    ] as const) {
      const probe = run.probe(name);
      expect(probe.shape).toEqual([2, model.layers, model.heads, 2]);
      for (const b of [0, 1]) {
        const a = (q: number, k: number): number => reader(run.at("blocks.1.attn.pattern"))(b, 3, q, k);
        const moment = (f: (d: number) => number): number =>
          sumOf(lengths[b], (q) => over(first, q + 1, (k) => a(q, k) * f(q - k)));
        const mean = moment((d) => d) / moment(() => 1);
        expect(Math.abs(probe.item(b, 1, 3, 0) - mean)).toBeLessThan(tolerance);
        expect(Math.abs(probe.item(b, 1, 3, 1) - moment((d) => (d - mean) ** 2) / moment(() => 1))).toBeLessThan(2e-5);
      }
    }
  });

  it("windowedDistance and futureInfluence", () => {
    perToken("windowedDistance", (a, q) => over(0, q + 1, (k) => a(q, k) * Math.min(q - k, 3)));
    perToken("windowedDistance without", (a, q) => over(1, q + 1, (k) => a(q, k) * Math.min(q - k, 3)));
    perToken("futureInfluence", (a, k, n) => {
      const [from, to] = [k + 2, Math.min(k + 5, n)];
      return to > from ? over(from, to, (q) => a(q, k)) / (to - from) : 0;
    });
  });

  it("diagonal and setMass", () => {
    for (const offset of [1, 3])
      perHead(`diagonal ${offset}`, (a, n) => over(offset, n, (q) => a(q, q - offset)) / (n - offset));
    perHead("bos", (a) => (a(2, 0) + a(3, 0)) / 2);
  });

  it("role: the share of the mass that lies where the role says", () => {
    const rows = input.inputIds;
    const wanted: Record<string, (b: number, q: number, k: number) => boolean> = {
      previous: (_, q, k) => k === q - 1,
      duplicate: (b, q, k) => k < q && rows[b][k] === rows[b][q],
      induction: (b, q, k) => k > 0 && rows[b][k - 1] === rows[b][q] && k - 1 < q,
    };
    for (const [name, isIt] of Object.entries(wanted)) {
      perHead(name, (a, n, b) => sumOf(n, (q) => over(0, q + 1, (k) => (isIt(b, q, k) ? a(q, k) : 0))) / n);
    }
    perHead("induction without", (a, n, b) => {
      const mass = sumOf(n, (q) => over(1, q + 1, (k) => a(q, k)));
      return sumOf(n, (q) => over(1, q + 1, (k) => (wanted["induction"](b, q, k) ? a(q, k) : 0))) / mass;
    });
  });

  it("topKeys: the largest weights of each row and where they lie", () => {
    const pattern = run.at("blocks.1.attn.pattern").slice(0, 2);
    for (const q of [3, 7]) {
      const row = Array.from(pattern.slice(q).numbers(), (weight, key) => ({ weight, key })).sort(
        (x, y) => y.weight - x.weight,
      );
      expect(Array.from(run.probe("topKeys").slice(0, 1, 2, q).numbers())).toEqual(
        row.slice(0, 2).map(({ key }) => key),
      );
      expect(Array.from(run.probe("topKeys weights").slice(0, 1, 2, q).numbers())).toEqual(
        row.slice(0, 2).map(({ weight }) => weight),
      );
    }
  });

  it("sinkLogit: the score of key 0 over the mean of those between it and the query", () => {
    const s = reader(run.at("blocks.2.attn.scores"));
    for (const q of indices(8)) {
      const expected = q < 2 ? 0 : s(0, 1, q, 0) - over(1, q, (k) => s(0, 1, q, k)) / (q - 1);
      expect(Math.abs(run.probe("sinkLogit").item(0, 2, 1, q) - expected)).toBeLessThan(tolerance);
    }
  });

  it("headNorms: of values, repeated to the query heads that share them; after W_O, against the layer itself", async () => {
    const v = run.at("blocks.1.attn.v");
    const norm = (x: Float64Array): number => Math.hypot(...x);
    for (const h of indices(4)) {
      const expected = norm(v.slice(0, Math.floor(h / 2), 5).numbers());
      expect(Math.abs(run.probe("headNorms v").item(0, 1, h, 5) - expected)).toBeLessThan(tolerance);
    }
    // With all heads but one at zero, and no bias in this family, attn_out is z · W_O of that head.
    const { headDim, heads, width } = model;
    for (const h of [0, 3]) {
      for (const [of, address] of [
        ["z", "z"],
        ["v", "v"],
      ] as const) {
        const source = run.at(`blocks.1.attn.${address}`);
        const rows = indices(2).map((b) =>
          indices(heads).map((other) =>
            indices(8).map((t) =>
              other === h
                ? Array.from(source.slice(b, of === "v" ? h >> 1 : h, t).numbers())
                : new Array<number>(headDim).fill(0),
            ),
          ),
        );
        const edits: GraphEdit[] = [interventions.replace({ at: "blocks.1.attn.z", with: tensor(rows) })];
        const alone = await model.run(input, { interventions: edits, capture: ["blocks.1.attn_out"] });
        const expected = norm(alone.at("blocks.1.attn_out").slice(0, 6).numbers());
        expect(alone.at("blocks.1.attn_out").shape.at(-1)).toBe(width);
        expect(Math.abs(run.probe(`headNorms ${of} after W_O`).item(0, 1, h, 6) - expected)).toBeLessThan(
          2e-5 * Math.max(expected, 1),
        );
      }
    }
  });

  it("does not change the run, and a list is the single prompts side by side", async () => {
    const plain = await model.run(input);
    expect(run.logits.data).toEqual(plain.logits.data);
    const single = await model.run({ inputIds: [[9, 8, 9, 8]] }, { probes: all });
    for (const { name } of all.filter((probe) => !/topKeys|sinkLogit/.test(probe.name))) {
      const [alone, both] = [single.probe(name), run.probe(name).slice(1)];
      if (alone.shape.length === 3 || alone.shape.at(-1) === 2) {
        const [x, y] = [alone.slice(0).numbers(), both.numbers()];
        expect(Math.max(...x.map((value, i) => Math.abs(value - y[i]))), name).toBeLessThan(tolerance);
      }
    }
  });
});

describe("probes on constructed heads", () => {
  it("perfect heads score exactly 1, uniform heads the analytic value, in a fraction of the passes", async () => {
    const model = await load((await readOracle("gpt2")).folder);
    const T = 8;
    const perfect = (keyOf: (q: number) => number | undefined): number[][] =>
      indices(T).map((q) => indices(T).map((k) => (k === (keyOf(q) ?? 0) ? 1 : 0)));
    const planted = [
      perfect((q) => (q >= 1 ? q - 1 : undefined)),
      perfect((q) => (q >= 3 ? q - 3 : undefined)),
      perfect((q) => (q >= 3 ? q - 2 : undefined)),
      indices(T).map((q) => indices(T).map((k) => (k <= q ? 1 / (q + 1) : 0))),
    ];
    expect(model.heads).toBe(4);
    const list = [1, 2, 3].map((offset) => probes.diagonal({ offset }));
    const run = await model.run(
      { inputIds: [ids] },
      {
        interventions: [interventions.replace({ at: "blocks.1.attn.pattern", with: tensor([planted]) })],
        probes: [
          ...list,
          probes.massPerKey(),
          probes.role({ role: "previous" }),
          probes.rowEntropy({ relative: true }),
          probes.distance(),
        ],
      },
    );
    expect(run.probe("diagonal 1").item(0, 1, 0)).toBe(1);
    expect(run.probe("diagonal 3").item(0, 1, 1)).toBe(1);
    // On period 3, rows 3 … 7 are perfect for induction; row 2 has no earlier copy, and looks at key 0, two back.
    expect(run.probe("diagonal 2").item(0, 1, 2)).toBe(1);
    expect(run.probe("diagonal 1").item(0, 1, 1)).toBeLessThan(0.2);
    const uniform = sumOf(T - 1, (i) => 1 / (i + 2)) / (T - 1);
    expect(Math.abs(run.probe("diagonal 1").item(0, 1, 3) - uniform)).toBeLessThan(1e-7);
    // The mass form counts row 0, which has no token before it: known and stated.
    expect(run.probe("previous").item(0, 1, 0)).toBe(0.875);
    expect(Math.abs(run.probe("massPerKey").item(0, 1, 3, 0) - sumOf(T, (q) => 1 / (q + 1)) / T)).toBeLessThan(1e-7);
    for (const q of indices(T)) {
      expect(Math.abs(run.probe("rowEntropy, relative").item(0, 1, 3, q) - (q === 0 ? 0 : 1))).toBeLessThan(1e-6);
      expect(run.probe("rowEntropy, relative").item(0, 1, 0, q)).toBe(0);
    }
    expect(run.probe("distance").item(0, 1, 0, 0)).toBe(0.875);
    await model.dispose();
  });

  it("attention that looks both ways counts every real query", async () => {
    const model = await load((await readOracle("bert")).folder);
    const run = await model.run(
      { inputIds: [[5, 6, 7], [8, 9]] }, // prettier-ignore
      { probes: [probes.massPerKey(), probes.rowEntropy({ relative: true })] },
    );
    const a = reader(run.at("blocks.0.attn.pattern"));
    expect(Math.abs(run.probe("massPerKey").item(1, 0, 0, 1) - (a(1, 0, 0, 1) + a(1, 0, 1, 1)) / 2)).toBeLessThan(1e-6);
    const entropy = -[0, 1].reduce((sum, k) => sum + a(1, 0, 0, k) * Math.log(a(1, 0, 0, k)), 0);
    expect(Math.abs(run.probe("rowEntropy, relative").item(1, 0, 0, 0) - entropy / Math.log(2))).toBeLessThan(1e-6);
    await model.dispose();
  });

  it("refuses unknown options and names", async () => {
    expect(() => probes.rowEntropy({ relativ: true } as object)).toThrow(
      /unknown option "relativ"; did you mean "relative"/,
    );
    expect(() => probes.diagonal({ offset: -1 })).toThrow(/offset must be a whole number of at least 0, got -1/);
    expect(() => probes.role({ role: "inducton" as "induction" })).toThrow(/did you mean "induction"/);
    const model = await load((await readOracle("gpt2")).folder);
    const run = await model.run({ inputIds: [[1, 2]] }, { probes: [probes.massPerKey()] });
    expect(() => run.probe("massPerkey")).toThrow(/did you mean "massPerKey"/);
    const twice = model.run({ inputIds: [[1, 2]] }, { probes: [probes.massPerKey(), probes.massPerKey()] });
    await expect(twice).rejects.toThrow(/two probes are called "massPerKey"/);
    await model.dispose();
  });
});
