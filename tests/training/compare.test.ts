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
