import { describe, expect, it } from "vitest";
import { base64Length, decodeBase64, encodeBase64 } from "../../kernel/views/base64.js";
import { decodeSqrt8, encodeSqrt8 } from "../../kernel/views/companding.js";
import { decodeHalf, encodeHalf } from "../../kernel/views/half.js";
import { halfBits, halfValue } from "../../kernel/tensor/half.js";
import { maxPool } from "../../kernel/views/maxPool.js";
import { decodeTile, encodeTile } from "../../kernel/views/tile.js";
import { seeded } from "../gallery/headGrid.js";

describe("base64", () => {
  it.each([0, 1, 2, 3, 4, 5, 62, 63, 64, 20_000])("agrees with Node for %i bytes and comes back", (length) => {
    const random = seeded(length + 1);
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
    const text = encodeBase64(bytes);
    expect(text).toBe(Buffer.from(bytes).toString("base64"));
    expect(text.length).toBe(base64Length(length));
    expect(decodeBase64(text)).toEqual(bytes);
  });

  it.each(["abc", "ab*d", "a=bc", "ab\u00ffd", "====", "ab d", "ab\ncdefg"])("refuses %j", (text) => {
    expect(() => decodeBase64(text)).toThrow(/base64: /);
  });
});

describe("binary16", () => {
  it.each([
    [0, 0x0000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65520, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [1 / 3, 0x3555],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
    [Infinity, 0x7c00],
  ])("codes %d as %i", (value, bits) => {
    const bytes = encodeHalf(Float32Array.of(value));
    expect(bytes[0] | (bytes[1] << 8)).toBe(bits);
  });

  it("brings every finite half back exactly", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if (((bits >> 10) & 31) === 31) continue;
      const bytes = Uint8Array.of(bits & 255, bits >> 8);
      const [value] = decodeHalf(bytes);
      const back = encodeHalf(Float32Array.of(value));
      if (back[0] !== bytes[0] || back[1] !== bytes[1]) expect({ bits, value, back }).toBeUndefined();
    }
  });

  it("keeps 11 bits of weights", () => {
    const random = seeded(5);
    const weights = Float32Array.from({ length: 5000 }, () => 10 ** (-4 * random()));
    const back = decodeHalf(encodeHalf(weights));
    weights.forEach((weight, at) => expect(Math.abs(back[at] - weight)).toBeLessThanOrEqual(weight * 2 ** -11));
  });

  it("codes and decodes many at once as it does one", () => {
    const random = seeded(6);
    const edges = [0, 2 ** -14, 2 ** -14 * (1 - 2 ** -12), 65_519, 65_520, -0.3, 1 + 2 ** -11, 2 ** -25];
    const values = Float32Array.from({ length: 24_000 }, (_, at) => edges[at] ?? 2 ** (40 * random() - 22) * random());
    const bytes = encodeHalf(values);
    const back = decodeHalf(bytes);
    values.forEach((value, at) => {
      const bits = halfBits(value);
      if ((bytes[2 * at] | (bytes[2 * at + 1] << 8)) !== bits || back[at] !== halfValue(bits)) expect({ value, at }).toBeUndefined(); // prettier-ignore
    });
  });

  it("knows NaN", () => expect(decodeHalf(encodeHalf(Float32Array.of(NaN)))[0]).toBeNaN());
});

describe("square-root companding", () => {
  it.each([1, 0.37, 1e-3])("stays within its stated error up to %d", (top) => {
    const random = seeded(9);
    const weights = Float32Array.from({ length: 5000 }, () => top * random() ** 4);
    const back = decodeSqrt8(encodeSqrt8(weights, top), top);
    weights.forEach((weight, at) => {
      const bound = top * (Math.sqrt(weight / top) / 255 + 1 / 255 ** 2 / 4);
      expect(Math.abs(back[at] - weight)).toBeLessThanOrEqual(bound * (1 + 1e-5));
      expect(Math.abs(back[at] - weight)).toBeLessThanOrEqual(0.004 * top);
    });
  });

  it("keeps 0 and the top exact, and an empty pattern empty", () => {
    expect(decodeSqrt8(encodeSqrt8(Float32Array.of(0, 0.5), 0.5), 0.5)).toEqual(Float32Array.of(0, 0.5));
    expect(encodeSqrt8(Float32Array.of(0, 0), 0)).toEqual(Uint8Array.of(0, 0));
  });
});

describe("max pooling", () => {
  it.each([
    [1, 1, 1],
    [5, 3, 2],
    [7, 7, 3],
    [63, 64, 8],
    [4, 4, 9],
  ])("%i × %i by %i equals brute force", (rows, columns, block) => {
    const random = seeded(rows * columns);
    const values = Float32Array.from({ length: rows * columns }, () => random() - 0.5);
    const width = Math.ceil(columns / block);
    const expected = Float32Array.from({ length: Math.ceil(rows / block) * width }, (_, at) => {
      const squares: number[] = [];
      values.forEach((value, index) => {
        const row = Math.floor(Math.floor(index / columns) / block);
        if (row * width + Math.floor((index % columns) / block) === at) squares.push(value);
      });
      return Math.max(...squares);
    });
    expect(maxPool(values, rows, columns, block)).toEqual(expected);
    const weights = values.map((value) => Math.max(0, value));
    expect(maxPool(weights, rows, columns, block)).toEqual(expected.map((value) => Math.max(0, value)));
  });

  it("passes over what is no number, and knows infinity", () => {
    expect([...maxPool(Float32Array.of(NaN, 0.5, 0, NaN, Infinity, 3), 1, 6, 2)]).toEqual([0.5, 0, Infinity]);
  });
});

describe("a tile", () => {
  const causal = Float32Array.of(1, 0, 0, 0.25, 0.75, 0, 0, 0.5, 0.5, 0, 0, 0);

  it("keeps each row up to its last weight that is not 0, and comes back", () => {
    const { kept, weights } = encodeTile(causal, 4, 3);
    expect([...new Uint32Array(kept.buffer)]).toEqual([1, 2, 3, 0]);
    expect(weights).toHaveLength(2 * 6);
    expect(decodeTile({ kept, weights }, 4, 3)).toEqual(causal);
  });

  it("is refused where its parts do not fit together", () => {
    const { kept, weights } = encodeTile(causal, 4, 3);
    const lengths = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
    for (const [parts, rows, columns] of [
      [{ kept, weights }, 3, 3],
      [{ kept, weights }, 4, 2],
      [{ kept, weights: weights.subarray(2) }, 4, 3],
      [{ kept, weights: new Uint8Array([...weights, 0]) }, 4, 3],
      [{ kept: lengths(1, 2, 4, 0), weights }, 4, 3],
      [{ kept: lengths(2 ** 32 - 1, 2, 3, 0), weights }, 4, 3],
      [{ kept: lengths(1, 1, 3, 0), weights }, 4, 3],
    ] as const)
      expect(decodeTile(parts, rows, columns)).toBeUndefined();
  });
});
