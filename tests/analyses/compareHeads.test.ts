import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Run } from "../../kernel/lib/index.js";
import { compareHeads, interventions, load } from "../../kernel/lib/index.js";
import { experiments } from "../../kernel/lib/live/index.js";
import { readOracle } from "../models/oracle.js";

let model: Model;
let run: Run;
beforeAll(async () => {
  model = await load((await readOracle("gpt2")).folder);
  run = await model.run({ inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15]] }); // prettier-ignore
});
afterAll(() => model.dispose());

describe("compareHeads", () => {
  it("compares two heads of one run", async () => {
    const pair = await compareHeads({ run, layer: 1, head: 0 }, { run, layer: 1, head: 2 });
    const [a, b] = [0, 2].map((head) => run.headPattern({ layer: 1, head }).data);
    const sum = a.reduce((total, weight, at) => total + Math.abs(weight - b[at]) / 2, 0);
    expect(pair.totalVariation).toBeCloseTo(sum / 5, 5);
    expect(pair.perQuery[0]).toBe(0);
    expect(pair.payload.names).toEqual(["L1.H0", "L1.H2"]);
    expect(Object.keys(pair.bundle())).toContain("application/vnd.attention-lab.head-pair.v1+json");
  });

  it("is 0 for a head and itself, and finds what an intervention did", async () => {
    const same = await compareHeads({ run, layer: 0, head: 1 }, { run, layer: 0, head: 1 });
    expect([same.totalVariation, same.jensenShannonNats]).toEqual([0, 0]);
    const changed = await run.again({ interventions: [interventions.uniformPattern({ layer: 1, head: 2 })] });
    const place = { layer: 1, head: 2 };
    const pair = await compareHeads({ run, ...place }, { run: changed, ...place, name: "even" });
    expect(pair.totalVariation).toBeGreaterThan(0);
    expect(pair.payload.names[1]).toBe("even");
    const [{ query, b }] = pair.largest;
    expect(b).toBeCloseTo(1 / (query + 1), 5);
  });

  it("compares other tokens place by place, and says so", async () => {
    const { payload } = await compareHeads({ run, layer: 0, head: 0 }, { run, layer: 0, head: 0, prompt: 1 });
    expect(payload.otherKeyTokens).toEqual(run.tokens[1]);
    expect(payload.notes[0]).toContain("place by place");
    expect(payload.names[1]).toBe("L0.H0 prompt 1");
  });

  it("refuses runs of another length, and what is not there", async () => {
    const short = await model.run({ inputIds: [[5, 6]] });
    const place = { layer: 0, head: 0 };
    await expect(compareHeads({ run, ...place }, { run: short, ...place })).rejects.toThrow(/got 5 × 5 and 2 × 2/);
    await expect(compareHeads({ run, ...place }, { run, layer: 0, head: 99 })).rejects.toThrow(/head must be/);
    await expect(compareHeads({ run, ...place, heads: 1 } as never, { run, ...place })).rejects.toThrow(/unknown option/); // prettier-ignore
    await expect(compareHeads({ run: {} as never, ...place }, { run, ...place })).rejects.toThrow(
      /a.run must be a run/,
    );
  });

  it("answers a figure that asks for two heads of its run", async () => {
    const settings = { signal: new AbortController().signal, progress: () => Promise.resolve() };
    const asked = { stack: "", layer: 1, head: 0, sample: 1, otherLayer: 2, otherHead: 3 };
    const { data } = await experiments["pair"](run, asked, settings);
    expect(data["payload"]).toMatchObject({ names: ["L1.H0", "L2.H3"], queryTokens: run.tokens[1] });
  });
});
