import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { adam, compare, mechanism, mechanisms, OptionError, tasks } from "../../kernel/lib/index.js";
import { meanInterval } from "../../kernel/lib/training/meanInterval.js";

const folder = mkdtempSync(join(tmpdir(), "attention-lab-compare-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const task = tasks.copying({ vocabulary: 4, period: 3 });
const options = {
  model: { layers: 1, heads: 2, width: 8, mlpWidth: 16 },
  train: { steps: 6, batchSize: 8, testRows: 16, optimiser: adam({ rate: 1e-2 }) },
  seeds: [0, 1],
} as const;

it("the interval of a mean is Student's", () => {
  // By hand: mean 2, s = 1, n = 3, t = 4.303.
  const [low, high] = meanInterval([1, 2, 3]);
  expect(low).toBeCloseTo(2 - 4.303 / Math.sqrt(3), 9);
  expect(high).toBeCloseTo(2 + 4.303 / Math.sqrt(3), 9);
  expect(meanInterval([1])).toEqual([NaN, NaN]);
});

describe("compare", () => {
  it("trains each mechanism with each seed, keeps failures, and goes on from its record", async () => {
    let calls = 0;
    const broken = mechanism({
      name: "broken",
      defaults: {},
      build: (call) => {
        calls++;
        if (calls > 0) throw new OptionError("broken: cannot attend");
        return mechanisms.softmax.attend(call);
      },
    });
    const record = join(folder, "record.json");
    const table = await compare(["softmax", "linear", broken], task, { ...options, record });
    expect(table.trials.map(({ mechanism: name, seed }) => `${name} ${seed}`)).toEqual([
      ...["softmax 0", "softmax 1", "linear 0", "linear 1", "broken 0", "broken 1"],
    ]);
    expect(table.failures.map(({ error }) => error)).toEqual(["broken: cannot attend", "broken: cannot attend"]);
    expect(table.of("broken").seeds).toBe("0/2");
    expect(table.rows.at(-1)!.mechanism).toBe("broken");
    const [a, b] = table.trials.slice(0, 2).map(({ values }) => values["accuracy"]);
    const row = table.of("softmax");
    expect(row.mean).toBeCloseTo((a + b) / 2, 9);
    expect([row.low, row.high]).toEqual([...meanInterval([a, b])]);
    expect(row.parameters).toBeGreaterThan(100);
    // The curve is the mean of the losses of both trainings, one point a step.
    const losses = table.trials.slice(0, 2).map((trial) => trial.losses!);
    expect(losses[0]).toHaveLength(6);
    const { curves, notes } = table.plotLosses().payload;
    expect(curves.map(({ name }) => name).sort()).toEqual(["linear", "softmax"]);
    const curve = curves.find(({ name }) => name === "softmax")!;
    expect(curve.x).toEqual([0, 1, 2, 3, 4, 5]);
    expect(curve.y[5]).toBeCloseTo((losses[0][5] + losses[1][5]) / 2, 4);
    expect(curve.low![5]).toBeCloseTo(meanInterval([losses[0][5], losses[1][5]])[0], 4);
    expect(notes[0]).toContain("95 % intervals");
    const [, shown] = /src="data:image\/svg\+xml,([^"]+)"/.exec(table.toHtml())!;
    expect(decodeURIComponent(shown)).toMatch(/^<svg[^]*losses while they learned[^]*<\/svg>/);
    expect(table.describe()).toContain("linear");
    expect(table.toCsv().split("\r\n")).toHaveLength(5);
    expect(table.toMarkdown()).toContain("| softmax |");

    // Half of the record is taken away: only that half is trained again, to the same numbers.
    const held = JSON.parse(readFileSync(record, "utf8")) as { trials: { trial: { msPerStep: number } }[] };
    held.trials.forEach((each) => (each.trial.msPerStep = -1));
    writeFileSync(record, JSON.stringify({ ...held, trials: held.trials.slice(0, 3) }));
    const again = await compare(["softmax", "linear", broken], task, { ...options, record });
    expect(again.trials.map(({ msPerStep }) => msPerStep === -1)).toEqual([true, true, true, false, false, false]);
    expect(again.trials.map(({ values }) => values)).toEqual(table.trials.map(({ values }) => values));
  });

  it("gives the same numbers in one process and in several, and what a forward pass costs", async () => {
    const asked = { ...options, lengths: [24, 48] };
    const one = await compare(["softmax", "linear"], task, { ...asked, processes: 1 });
    const two = await compare(["softmax", "linear"], task, { ...asked, processes: 2 });
    const numbers = ({ trials }: typeof one) => trials.map(({ msPerStep: _, ...trial }) => trial);
    expect(numbers(two)).toEqual(numbers(one));
    const counts = ({ measured }: typeof one) => measured.map(({ ms: _, ...cost }) => cost);
    expect(counts(two)).toEqual(counts(one));
    expect(one.measured.map(({ mechanism: name, length }) => `${name} ${length}`)).toEqual([
      ...[`softmax ${task.length}`, "softmax 24", "softmax 48", `linear ${task.length}`, "linear 24", "linear 48"],
    ]);
    const row = one.of("softmax");
    expect(row.mflop).toBe(one.measured[0].flops / 1e6);
    expect(row.activationsMB).toBe(one.measured[0].activationBytes / 1e6);
    expect(one.measured.every(({ ms }) => ms > 0)).toBe(true);
    // One layer, two heads of 4: keys and values of every token against a matrix of 4 features and their sum.
    expect(row.stateNumbers).toBe(2 * 2 * 4 * task.length);
    expect(one.of("linear").stateNumbers).toBe(2 * 4 * 5);
    expect(one.plotCosts("stateNumbers").payload.curves[0].y).toHaveLength(3);
    const { payload } = two.plotCosts("flops");
    expect(payload.title).toBe("arithmetic operations of a forward pass");
    expect(two.plotCosts("ms").payload).toBeDefined();
    expect(() => one.plotCosts("flop" as never)).toThrow('did you mean "flops"?');
    expect(one.toCsv().split("\r\n")[0]).toContain("state,stateNumbers,msPerStep,mflop,activationsMB,forwardMs");
    await expect(compare(["softmax"], task, { ...options, processes: 0 })).rejects.toThrow("processes must be");
    await expect(compare(["softmax"], task, { ...options, lengths: [0] })).rejects.toThrow("lengths must be");
  });

  it("refuses what cannot be compared, before anything is trained", async () => {
    await expect(compare(["sofmax"], task, options)).rejects.toThrow(
      'unknown mechanism "sofmax"; did you mean "softmax"?',
    );
    await expect(compare([], task, options)).rejects.toThrow("expected mechanisms and seeds, got 0 and 2");
    await expect(compare(["softmax"], task, { ...options, metric: "acuracy" })).rejects.toThrow(
      'did you mean "accuracy"?',
    );
    await expect(compare(["softmax", "softmax"], task, options)).rejects.toThrow('"softmax" stands there twice');
    const other = join(folder, "other.json");
    writeFileSync(other, "{}");
    await expect(compare(["softmax"], task, { ...options, record: other })).rejects.toThrow(
      "is no record of a comparison",
    );
  });
});
