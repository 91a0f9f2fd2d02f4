// What other tools got wrong about heads, ablations and patches, one test each.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model } from "../../kernel/lib/index.js";
import {
  ablate,
  attentionGradients,
  headImportance,
  headRoles,
  interventions,
  load,
  logitDifference,
  probes,
  promptLoss,
  Tensor,
} from "../../kernel/lib/index.js";
import { build, substitute } from "../../kernel/lib/graph/index.js";
import { planted } from "../analyses/heads/planted.js";
import { decoders, maxAbsDiff, readOracle } from "../models/oracle.js";

const one = { inputIds: [[5, 6, 7, 8, 9]] };
const two = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15]] }; // prettier-ignore
const metric = logitDifference(7, 9);

describe("heads are detected", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
  });
  afterAll(() => model.dispose());

  it("without writing into what was measured: the same question twice has the same answer", async () => {
    const run = await model.run(one, { probes: [probes.role({ role: "previous", without: [0] })] });
    const before = run.at("blocks.1.attn.pattern").numbers();
    const [first, second] = [await headRoles(model, one), await headRoles(model, one)];
    expect(second.toCsv()).toBe(first.toCsv());
    expect(run.at("blocks.1.attn.pattern").numbers()).toEqual(before);
    expect(before.some((x, i) => i % 5 === 0 && x > 0)).toBe(true);
  });

  it("with the same options for a list as for one prompt", async () => {
    const table = await ablate(model, two, { metric, heads: [0], layers: [0], modes: ["bos"], randomHeads: 0 });
    expect(table.rows.map(({ layer, head, mode }) => [layer, head, mode])).toEqual([[0, 0, "bos"]]);
    const roles = await headRoles(model, two, {
      period: 2,
      interventions: [interventions.uniformPattern({ layer: 1 })],
    });
    const single = await Promise.all(
      two.inputIds.map((row) =>
        headRoles(
          model,
          { inputIds: [row] },
          { period: 2, interventions: [interventions.uniformPattern({ layer: 1 })] },
        ),
      ),
    );
    expect(roles.measures).toEqual(single[0].measures);
    for (const measure of ["previous", "duplicate diagonal"]) {
      const [a, b] = single.map((each) => each.at(1, 2).values[measure]);
      expect(roles.at(1, 2).values[measure]).toBeCloseTo((a + b) / 2, 12);
      expect(a).toBeCloseTo(single[0].uniform[measure], 6);
    }
  });

  it("on a prompt as long as the model's context", async () => {
    const full = { inputIds: [Array.from({ length: model.positions }, (_, i) => (i * 7) % 300)] };
    const scores = await headRoles(model, full);
    expect(scores.rows.every(({ values }) => Number.isFinite(values["previous"]))).toBe(true);
    const table = await ablate(model, full, { metric, layers: [2], randomHeads: 0 });
    expect(table.rows).toHaveLength(model.heads);
  });

  it("a perfect previous-token head scores 1 on its diagonal, and 0.875 by mass at T = 8", async () => {
    const eight = { inputIds: [[5, 6, 7, 8, 9, 10, 11, 12]] };
    const back = (_head: number, q: number, k: number): number => (k === Math.max(q - 1, 0) ? 1 : 0);
    const scores = await headRoles(model, eight, { interventions: [planted(1, 4, 8, back)] });
    expect(scores.at(1, 0).values).toMatchObject({
      previous: 0.875,
      "previous diagonal": 1,
      "previous without first": 1,
    });
  });

  it("by gradients of each prompt, not by a running sum", async () => {
    const both = await headImportance(model, two, { exact: false });
    const each = await Promise.all(
      two.inputIds.map((row) => headImportance(model, { inputIds: [row] }, { exact: false })),
    );
    for (const { layer, head, values, perPrompt } of both.rows) {
      const alone = each.map((found) => found.at(layer, head).values["gradient"]);
      expect(perPrompt["gradient"]).toEqual(alone);
      expect(values["gradient"]).toBeCloseTo((alone[0] + alone[1]) / 2, 12);
    }
  });

  it("and attribution says how much of it is on the first token", async () => {
    const { rows } = await attentionGradients(model, one, { metric: promptLoss() });
    expect(rows.every(({ values }) => values["on first"] >= 0 && values["on first"] <= 1)).toBe(true);
    const first = (_head: number, _q: number, k: number): number => (k === 0 ? 1 : 0);
    const sunk = await attentionGradients(model, one, { metric, interventions: [planted(2, 4, 5, first)] });
    for (const head of [0, 1, 2, 3]) expect(sunk.at(2, head).values["on first"]).toBe(1);
  });
});

describe.each(decoders.filter((name) => !["gemma2", "gemma3", "olmo2"].includes(name)))(
  "an ablated head of %s",
  (name) => {
    let model: Model;
    beforeAll(async () => {
      model = await load((await readOracle(name)).folder);
    });
    afterAll(() => model.dispose());

    const written = async (edits: readonly GraphEdit[] = []): Promise<Readonly<Record<string, Tensor>>> =>
      model.compute(
        one,
        (site) => {
          const [z, out] = [site.at("blocks.1.attn.z"), site.at("blocks.1.attn_out")];
          const only = (head: number) => {
            const mask = Float32Array.from({ length: model.heads }, (_, h) => (h === head ? 1 : 0));
            const own = build.mul(z, site.feed(`head ${head}`, new Tensor("float32", [1, model.heads, 1, 1], mask)));
            return substitute(out, new Map([[z, own]]));
          };
          // Each head by itself, with the bias every time.
          const heads = Array.from({ length: model.heads }, (_, head) => only(head));
          return { sum: heads.reduce((a, b) => build.add(a, b)), out, logits: site.at("logits") };
        },
        { interventions: edits },
      );

    it("is a zero in what the output projection reads; the heads' results and the bias are what attention writes", async () => {
      const whole = await written();
      const { out: bias } = await written([interventions.zeroZ({ layer: 1 })]);
      const without = await written([interventions.zeroZ({ layer: 1, head: 1 })]);
      const byHead = ({ sum }: Readonly<Record<string, Tensor>>): Tensor => {
        const own = Float32Array.from(sum.numbers(), (x, i) => x - (model.heads - 1) * Number(bias.data[i]));
        return new Tensor("float32", sum.shape, own);
      };
      const scale = Math.max(1, ...whole["out"].numbers().map(Math.abs));
      expect(maxAbsDiff(byHead(whole), whole["out"]) / scale).toBeLessThan(2e-5);
      expect(maxAbsDiff(byHead(without), without["out"]) / scale).toBeLessThan(2e-5);
      const [z] = Object.values(await model.compute(one, ({ at }) => ({ z: at("blocks.1.attn.z") }), { interventions: [interventions.zeroZ({ layer: 1, head: 1 })] })); // prettier-ignore
      expect(Math.max(...z.slice(0, 1).numbers().map(Math.abs))).toBe(0);
      // A slice of what it writes is something else.
      const slice = await written([
        {
          name: "slice of the output",
          at: ["blocks.1.attn_out"],
          edit: (x, { feed }) => {
            const size = model.width / model.heads;
            const mask = Float32Array.from({ length: model.width }, (_, m) => (Math.floor(m / size) === 1 ? 0 : 1));
            return build.mul(x, feed("mask", new Tensor("float32", [model.width], mask)));
          },
        },
      ]);
      expect(maxAbsDiff(slice["logits"], without["logits"])).toBeGreaterThan(1e-3);
    });

    it("without its keys and values takes all queries that read them, and no other", async () => {
      const { addresses } = model;
      expect(addresses).toContain("blocks.1.attn.v");
      const group = model.heads / model.kvHeads;
      const z = async (edits: readonly GraphEdit[]): Promise<Tensor> =>
        (await model.compute(one, ({ at }) => ({ z: at("blocks.1.attn.z") }), { interventions: edits }))["z"];
      const [clean, cut] = [
        await z([]),
        await z([interventions.removeKvHead({ layer: 1, kvHead: model.kvHeads - 1 })]),
      ];
      for (let head = 0; head < model.heads; head++) {
        const same = maxAbsDiff(clean.slice(0, head), cut.slice(0, head)) === 0;
        expect(same, `head ${head}`).toBe(head < model.heads - group);
      }
    });
  },
);

describe("edits act", () => {
  it("on Mistral too: calibration moves its logits", async () => {
    const model = await load((await readOracle("mistral")).folder);
    const clean = await model.run(one);
    const edited = await model.run(one, { interventions: [interventions.act({ threshold: 0.01 })] });
    expect(maxAbsDiff(clean.logits, edited.logits)).toBeGreaterThan(1e-5);
    expect(edited.reports.some(({ changed }) => Math.max(...changed.numbers()) > 1e-4)).toBe(true);
    await model.dispose();
  });

  it("on their own model: another one beside it, of another family, changes nothing", async () => {
    const first = await load((await readOracle("gpt2")).folder);
    const before = (await first.run(one)).logits;
    const table = await ablate(first, one, { metric, layers: [1], randomHeads: 0 });
    const second = await load((await readOracle("gpt_neox")).folder);
    await second.run(one, { interventions: [interventions.zeroZ()] });
    await ablate(second, one, { metric, layers: [1], randomHeads: 0 });
    expect((await first.run(one)).logits.data).toEqual(before.data);
    expect((await ablate(first, one, { metric, layers: [1], randomHeads: 0 })).toCsv()).toBe(table.toCsv());
    await Promise.all([first.dispose(), second.dispose()]);
  });

  it("at the same time, each in its own run", async () => {
    const model = await load((await readOracle("gpt2")).folder);
    const edits = [0, 1, 2].flatMap((layer) => [interventions.zeroZ({ layer }), interventions.bosPattern({ layer })]);
    const run = async (edit: GraphEdit) => (await model.run(one, { interventions: [edit], patterns: false })).logits;
    const together = await Promise.all(edits.map(run));
    for (const [i, edit] of edits.entries()) expect((await run(edit)).data).toEqual(together[i].data);
    await model.dispose();
  });

  it("by names that mean one thing: zero, even and first-token attention, and zero queries, are four experiments", async () => {
    const model = await load((await readOracle("llama_rope3")).folder);
    const modes = ["zero", "uniform", "bos", "mean"] as const;
    const table = await ablate(model, one, { metric, modes, layers: [1], heads: [2], randomHeads: 0 });
    const effects = modes.map((mode) => table.at(1, 2, mode).effect);
    effects.forEach((x, i) => effects.slice(i + 1).forEach((y) => expect(Math.abs(x - y)).toBeGreaterThan(1e-5)));
    await model.dispose();
  });
});
