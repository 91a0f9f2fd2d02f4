import { describe, expect, it } from "vitest";
import { niceTop, paletteColours, paletteNames, scaleNames, scalePosition, scaleTicks } from "attention-lab/figure";

const luminance = (rgb: Uint8Array, at: number): number => {
  const linear = (channel: number): number => {
    const share = rgb[at * 3 + channel] / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(0) + 0.7152 * linear(1) + 0.0722 * linear(2);
};

describe.each(paletteNames)("palette %s", (name) => {
  it("has monotone luminance: strictly over 4 steps, within rounding over 1", () => {
    const colours = paletteColours(name);
    const sign = name === "greys" ? -1 : 1;
    for (let at = 0; at + 4 < 256; at += 4) {
      expect(sign * (luminance(colours, at + 4) - luminance(colours, at))).toBeGreaterThan(0);
    }
    for (let at = 0; at + 1 < 256; at++) {
      expect(sign * (luminance(colours, at + 1) - luminance(colours, at))).toBeGreaterThan(-0.002);
    }
  });

  it("keeps its ends at any number of steps", () => {
    const full = paletteColours(name);
    for (const steps of [2, 16, 254]) {
      const colours = paletteColours(name, steps);
      expect(colours.subarray(0, 3)).toEqual(full.subarray(0, 3));
      expect(colours.subarray(-3)).toEqual(full.subarray(-3));
    }
  });
});

it("viridis and cividis are the published tables at chosen entries", () => {
  const at = (name: "viridis" | "cividis", step: number): number[] => [
    ...paletteColours(name).subarray(step * 3, step * 3 + 3),
  ];
  expect(at("viridis", 0)).toEqual([68, 1, 84]);
  expect(at("viridis", 129)).toEqual([32, 146, 140]);
  expect(at("cividis", 129)).toEqual([126, 124, 120]);
  expect(at("viridis", 255)).toEqual([253, 231, 37]);
  expect(at("cividis", 0)).toEqual([0, 34, 78]);
  expect(at("cividis", 255)).toEqual([254, 232, 56]);
});

describe("colour scale", () => {
  it.each([
    [0, 1],
    [0.001, 0.001],
    [0.0012, 0.002],
    [0.3, 0.5],
    [0.51, 1],
    [1, 1],
    [1.0000001, 1],
    [1.2, 2],
    [7, 10],
  ])("of a largest weight %d ends at %d", (largest, top) => expect(niceTop(largest)).toBe(top));

  it.each(scaleNames)("%s is monotone from 0 to 1 and its ticks are in order", (scale) => {
    let before = -1;
    for (let weight = 0; weight <= 1; weight += 0.01) {
      const place = scalePosition(weight, 1, scale);
      expect(place).toBeGreaterThan(before);
      before = place;
    }
    expect(scalePosition(2, 1, scale)).toBe(1);
    const ticks = scaleTicks(0.5, scale);
    expect(ticks[0]).toBe(0);
    expect(ticks.at(-1)).toBe(0.5);
    expect([...ticks].sort((a, b) => a - b)).toEqual(ticks);
  });
});
