import { describe, expect, it } from "vitest";
import { curvesLayout, drawCurves, figureOf, inks } from "attention-lab/figure";
import { curves, curvesMime, type AxisScale } from "attention-lab/views";
import { axisOver, tickText } from "../../kernel/figure/axis.js";
import { curvesExamples } from "../gallery/curves.js";

describe("drawn curves", () => {
  it.each(Object.keys(curvesExamples))("look as recorded: %s", async (name) => {
    await expect(figureOf(curvesMime, curvesExamples[name]())! + "\n").toMatchFileSnapshot(
      `snapshots/curves-${name}.svg`,
    );
  });

  it("lie where the layout says: a straight line from corner to corner", () => {
    const payload = curves([{ name: "a", x: [0, 10], y: [0, 1] }], { title: "t" });
    const look = { width: 500, ink: inks.paper };
    const { left, top, width, height } = curvesLayout(payload, look).area;
    expect(drawCurves(payload, look)).toContain(`d="M${left} ${top + height}L${left + width} ${top}"`);
  });

  it("break at gaps and at what a log scale has no place for", () => {
    const path = (y: number[], yScale: AxisScale): string => {
      const payload = curves([{ name: "a", x: [0, 1, 2, 3], y }], { title: "t", yScale });
      return [
        ...drawCurves(payload, { width: 500, ink: inks.paper, words: false }).matchAll(
          /d="(M[^"]*)" fill="none" stroke="#0072b2"/g,
        ),
      ]
        .map(([, d]) => d)
        .join();
    };
    expect(path([1, NaN, 2, 3], "linear").match(/M/g)).toHaveLength(2);
    expect(path([1, -1, 2, 3], "log").match(/M/g)).toHaveLength(2);
    expect(path([1, 1.5, 2, 3], "log").match(/M/g)).toHaveLength(1);
  });

  it("hold no NaN, whatever is drawn", () => {
    for (const y of [
      [NaN, NaN],
      [0, 0],
      [-5, -5],
      [1e300, -1e300],
      [0, 1e-300],
    ]) {
      // prettier-ignore
      for (const yScale of ["linear", "log"] as const) {
        const payload = curves([{ name: "a", x: [0, 1], y }], { title: "t", yScale });
        expect(drawCurves(payload, { width: 400, ink: inks.paper })).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
  });
});

describe("an axis", () => {
  it.each([
    [0, 1, "linear"],
    [-3, 17, "linear"],
    [5, 5, "linear"],
    [0.01, 4, "log"],
    [1, 1e9, "log"],
  ] as const)("over %d … %d, %s, has ticks in order inside itself, and finds what it places", (low, high, scale) => {
    const axis = axisOver(low, high, { scale, wide: true });
    expect(axis.ticks.length).toBeGreaterThan(1);
    expect([...axis.ticks].sort((a, b) => a - b)).toEqual(axis.ticks);
    for (const tick of axis.ticks) {
      expect(axis.place(tick)).toBeGreaterThan(-0.01);
      expect(axis.place(tick)).toBeLessThan(1.01);
      expect(axis.at(axis.place(tick))).toBeCloseTo(tick, 8);
    }
  });

  it("writes numbers shortly", () => {
    expect([0, 0.25, -3, 1234, 1e5, 2.5e-7, -1e-4].map(tickText)).toEqual([
      "0",
      "0.25",
      "−3",
      "1234",
      "1e5",
      "2.5e−7",
      "−1e−4",
    ]);
  });
});
