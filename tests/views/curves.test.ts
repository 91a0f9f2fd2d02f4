import { describe, expect, it } from "vitest";
import { curves, curvesText, PayloadError, readCurves } from "attention-lab/views";
import { thinned } from "../../kernel/views/thinned.js";
import { seeded } from "../gallery/headGrid.js";

const count = (length: number): number[] => Array.from({ length }, (_, at) => at);

describe("curves", () => {
  it("come back from JSON as they were, with gaps where numbers are not finite", () => {
    const payload = curves([{ name: "a", x: [0, 1, 1, 4], y: Float64Array.of(1, NaN, Infinity, 0.123456789) }], {
      title: "t",
    });
    expect(payload.curves[0]?.y).toEqual([1, null, null, 0.123457]);
    expect(readCurves(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
  });

  it("keep intervals beside their points", () => {
    const payload = curves([{ name: "a", x: [0, 1], y: [1, 2], ci: [[0.5, 1.5], [NaN, 3]] }], { title: "t" }); // prettier-ignore
    expect(payload.curves[0]).toMatchObject({ low: [0.5, null], high: [1.5, 3] });
  });

  it("stay below a megabyte with a million points, and keep the one spike among them", () => {
    const y = Float32Array.from({ length: 1_000_000 }, (_, at) => Math.sin(at / 1e4));
    y[654_321] = 40;
    const payload = curves([{ name: "long", x: count(y.length), y }], { title: "t" });
    expect(JSON.stringify(payload).length).toBeLessThan(1_000_000);
    expect(Math.max(...(payload.curves[0]?.y as number[]))).toBe(40);
    expect(payload.curves[0]?.points).toBe(1_000_000);
  });

  it.each<[string, () => unknown, RegExp]>([
    ["none", () => curves([], { title: "t" }), /expected 1…64 curves, got 0/],
    ["x without y", () => curves([{ name: "a", x: [1, 2], y: [1] }], { title: "t" }), /got 2 x, 1 y/],
    ["no points", () => curves([{ name: "a", x: [], y: [] }], { title: "t" }), /at least one, got 0 x, 0 y/],
    [
      "too few intervals",
      () => curves([{ name: "a", x: [1, 2], y: [1, 2], ci: [[0, 1]] }], { title: "t" }),
      /and 1 intervals/,
    ],
    ["x that falls", () => curves([{ name: "a", x: [2, 1], y: [1, 2] }], { title: "t" }), /got 1 after 2 at point 1/],
    ["x that is not finite", () => curves([{ name: "a", x: [NaN], y: [1] }], { title: "t" }), /got NaN at point 0/],
    [
      "a misspelt option",
      () => curves([{ name: "a", x: [1], y: [1] }], { title: "t", xlabel: "x" } as { title: string }),
      /unknown option "xlabel"; did you mean "xLabel"/,
    ],
  ])("are not made of %s", (_, make, reason) => expect(make).toThrow(reason));

  it("say their ends and extremes in text", () => {
    const payload = curves([{ name: "loss", x: [0, 10, 20], y: [3, 0.5, 1] }], {
      title: "Training",
      xLabel: "step",
      yLabel: "loss",
    });
    expect(curvesText(payload)).toBe(
      "Training · loss over step\n  loss  3 points: 3 at 0 → 1 at 20; least 0.5 at 10, greatest 3 at 0",
    );
  });

  it("refuse x that fall, intervals of another length, and more points than the cap", () => {
    const payload = curves([{ name: "a", x: [0, 1], y: [1, 2] }], { title: "t" });
    const changed = (change: object): unknown => ({ ...payload, curves: [{ ...payload.curves[0], ...change }] });
    expect(() => readCurves(changed({ x: [1, 0] }))).toThrow(
      /curves\[0\]\.x: expected numbers that do not decrease, got 0/,
    );
    expect(() => readCurves(changed({ low: [1], high: [1, 2] }))).toThrow(/low: expected 2 entries, got 1/);
    expect(() => readCurves(changed({ x: new Array(200_001).fill(0) }))).toThrow(PayloadError);
  });
});

describe("thinning", () => {
  it("keeps all of few, and ends, extremes and order of many", () => {
    expect(thinned([3, 1, 2], 3)).toEqual([0, 1, 2]);
    const random = seeded(5);
    for (const length of [17, 100, 999]) {
      const values = Float64Array.from({ length }, () => (random() < 0.1 ? NaN : random()));
      const kept = thinned(values, 16);
      expect(kept.length).toBeLessThanOrEqual(16);
      expect(kept[0]).toBe(0);
      expect(kept.at(-1)).toBe(length - 1);
      expect([...kept].sort((a, b) => a - b)).toEqual(kept);
      const numbers = [...values].filter((value) => !Number.isNaN(value));
      expect(kept.map((at) => values[at])).toContain(Math.max(...numbers));
      expect(kept.map((at) => values[at])).toContain(Math.min(...numbers));
    }
  });
});
