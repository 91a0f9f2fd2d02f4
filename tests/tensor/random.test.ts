import { describe, expect, it } from "vitest";
import { exactLog } from "../../kernel/tensor/logarithm.js";
import { random } from "../../kernel/tensor/index.js";
import type { Words } from "../../kernel/tensor/philox.js";
import { philox } from "../../kernel/tensor/philox.js";

const mean = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;

describe("Philox", () => {
  // The known answers that the authors publish with Random123 (kat_vectors, philox4x32 10).
  const ones = 0xffffffff;
  const vectors: readonly (readonly [Words, readonly [number, number], Words])[] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [ones, ones, ones, ones],
      [ones, ones],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]], // prettier-ignore
  ];
  it.each(vectors)("gives the known answer for counter %j and key %j", (counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });
});

it("the logarithm agrees with Math.log to the last digits", () => {
  for (const x of [1e-300, 1e-9, 0.1, 0.5, 0.70710678, 0.999999999, 1, 1.5, Math.SQRT2, 2, 12345.678, 1e300]) {
    expect(Math.abs(exactLog(x) - Math.log(x))).toBeLessThanOrEqual(2e-15 * Math.max(Math.abs(Math.log(x)), 1e-3));
  }
});

describe("a random stream", () => {
  it("gives the same numbers for the same call, and a prefix for a shorter one", () => {
    expect(random(3).normal([5])).toEqual(random(3).normal([5]));
    expect([...random(3).normal([3]).data]).toEqual([...random(3).normal([5]).data].slice(0, 3));
    // Recorded: a change of these numbers breaks every saved seed.
    expect([...random(7).uniform([3]).data]).toMatchInlineSnapshot(`
      [
        0.49503976106643677,
        0.31122177839279175,
        0.8873465657234192,
      ]
    `);
    expect([...random(7).uniform([2], { dtype: "float64" }).data]).toMatchInlineSnapshot(`
      [
        0.4950397921482874,
        0.31122178752194973,
      ]
    `);
    expect([...random(7).normal([3], { dtype: "float64" }).data]).toMatchInlineSnapshot(`
      [
        0.6042659532842564,
        -0.1424607288128419,
        1.863049221516309,
      ]
    `);
    expect([...random(7).integers([6], { high: 100 }).data]).toMatchInlineSnapshot(`
      [
        93,
        82,
        34,
        12,
        53,
        26,
      ]
    `);
    expect([...random(7).permutation(8).data]).toMatchInlineSnapshot(`
      [
        4,
        5,
        0,
        2,
        6,
        1,
        3,
        7,
      ]
    `);
    expect([...random(7).fork("noise").fork(3).integers([3], { high: 1000 }).data]).toMatchInlineSnapshot(`
      [
        865,
        883,
        973,
      ]
    `);
  });

  it("forks into streams that differ from it and from each other", () => {
    const root = random(1);
    const streams = [root, root.fork(1), root.fork("1"), root.fork("a"), root.fork("aa"), root.fork(1).fork(1), random(2), random(2 ** 40)]; // prettier-ignore
    const firsts = streams.map((stream) => stream.uniform([1], { dtype: "float64" }).data[0]);
    expect(new Set(firsts).size).toBe(streams.length);
  });

  it("is uniform: range, moments and 16 bins", () => {
    const n = 64_000;
    for (const dtype of ["float32", "float64"] as const) {
      const values = random(11).uniform([n], { dtype }).numbers();
      expect(values.every((x) => x >= 0 && x < 1)).toBe(true);
      expect(Math.abs(mean(values) - 0.5)).toBeLessThan(5 / Math.sqrt(12 * n));
      const bins = new Float64Array(16);
      for (const x of values) bins[Math.floor(x * 16)]++;
      const chi2 = bins.reduce((sum, count) => sum + (count - n / 16) ** 2 / (n / 16), 0);
      expect(chi2).toBeLessThan(45);
      const lag = mean(values.map((x, i) => (x - 0.5) * (values[(i + 1) % n] - 0.5)));
      expect(Math.abs(lag)).toBeLessThan(5 / 12 / Math.sqrt(n));
    }
    const scaled = random(11).uniform([1000], { low: -3, high: -1 }).numbers();
    expect(scaled.every((x) => x >= -3 && x <= -1)).toBe(true);
  });

  it("is normal: four moments and the tail", () => {
    const n = 64_000;
    const values = random(12).normal([n], { dtype: "float64" }).numbers();
    const moment = (k: number): number => mean(values.map((x) => x ** k));
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
    const tail = values.filter((x) => Math.abs(x) > 1.959963985).length / n;
    expect(Math.abs(tail - 0.05)).toBeLessThan(5 * Math.sqrt(0.0475 / n));
    expect(mean(random(12).normal([1000], { mean: 10, deviation: 0.1 }).numbers())).toBeCloseTo(10, 1);
  });

  it("draws integers evenly, at any bounds", () => {
    const n = 60_000;
    const counts = new Float64Array(7);
    for (const x of random(13).integers([n], { low: -3, high: 4 }).data) counts[Number(x) + 3]++;
    const chi2 = counts.reduce((sum, count) => sum + (count - n / 7) ** 2 / (n / 7), 0);
    expect(chi2).toBeLessThan(25);
    expect([...random(1).integers([3], { low: 5, high: 6 }).data]).toEqual([5, 5, 5]);
    const wide = random(1)
      .integers([1000], { low: -(2 ** 31), high: 2 ** 31 })
      .numbers();
    expect(Math.min(...wide)).toBeLessThan(-2e9);
    expect(Math.max(...wide)).toBeGreaterThan(2e9);
    expect(random(1).integers([1], { high: 2 ** 32, dtype: "int64" }).data).toBeInstanceOf(BigInt64Array);
  });

  it("permutes: every number once, every order of three equally often", () => {
    expect([...random(5).permutation(100).data].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    const seen = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random(6).fork(i).permutation(3).data.join("");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    expect([...seen.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(21);
    expect(random(1).permutation(0).shape).toEqual([0]);
  });

  it("refuses what it cannot do", () => {
    expect(() => random(-1)).toThrow("random: a seed is a whole number of at least 0, got -1");
    expect(() => random(0.5)).toThrow("got 0.5");
    expect(() => random(1).integers([2], { high: 0 })).toThrow("1 … 2³² between low and high, got 0 and 0");
    expect(() => random(1).integers([2], { high: 2 ** 32 })).toThrow(
      'does not fit into int32; pass { dtype: "int64" }',
    );
    expect(() => random(1).uniform([-1])).toThrow("uniform: a shape holds whole numbers");
    expect(() => random(1).normal([2], { std: 2 } as object)).toThrow('normal: unknown option "std"');
  });
});
