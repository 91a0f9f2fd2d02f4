import { describe, expect, it } from "vitest";
import { imageOverlay, mapsThatFit, maskReader, pictureIndices, pictureTable, readImageOverlay, readPatterns, smallerPicture } from "attention-lab/views"; // prettier-ignore

const picture = { width: 4, height: 2, data: Uint8Array.from({ length: 24 }, (_, at) => at * 10) };
const queries = ["[CLS]", "r0c0", "r0c1"];
const weights = Float32Array.of(0.25, 0.5, 1, 0, 0.125, 0.75);
const map = { name: "L0 mean", layer: 0, head: -1, weights };

describe("attention over a picture", () => {
  it("stores weights by map, query and patch, to 0.004 of the largest", () => {
    const payload = imageOverlay(picture, { rows: 1, columns: 2 }, queries, [map], { title: "t" });
    const found = readPatterns(payload.weights, 1, payload.maps.max).head(0, 0);
    weights.forEach((weight, at) => expect(Math.abs(found[at] - weight)).toBeLessThanOrEqual(0.004));
    expect(readImageOverlay(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
  });

  it("stays below a megabyte with as many maps as fit, and refuses more", () => {
    const size = 197 * 196;
    const names = Array.from({ length: 197 }, (_, at) => `r${at}c${at}`);
    const big = { width: 512, height: 512, data: new Uint8Array(512 * 512 * 3) };
    const maps = Array.from({ length: mapsThatFit(size) }, () => ({
      ...map,
      weights: new Float32Array(size).fill(0.5),
    }));
    const grid = { rows: 14, columns: 14 };
    expect(maps.length).toBe(15);
    expect(JSON.stringify(imageOverlay(big, grid, names, maps, { title: "t" })).length).toBeLessThan(1_000_000);
    expect(() => imageOverlay(big, grid, names, [...maps, maps[0]], { title: "t" })).toThrow(/1…15 maps of 38612/);
  });

  it.each<[string, Float32Array]>([
    ["too few", Float32Array.of(1)],
    ["not finite", Float32Array.of(1, NaN, 0, 0, 0, 0)],
    ["negative", Float32Array.of(1, -1, 0, 0, 0, 0)],
  ])("is not made of weights that are %s", (_, odd) => {
    const make = (): unknown => imageOverlay(picture, { rows: 1, columns: 2 }, queries, [{ ...map, weights: odd }], { title: "t" }); // prettier-ignore
    expect(make).toThrow(/expected 6 finite weights ≥ 0 in "L0 mean"/);
  });
});

describe("a stored mask", () => {
  const make = (mask: object): ReturnType<typeof imageOverlay> =>
    imageOverlay(picture, { rows: 1, columns: 2 }, queries, [map], { title: "t", mask: mask as never });

  it("keeps every pixel, of large masks the nearest ones", () => {
    const data = Array.from({ length: 13 * 7 }, (_, at) => (at * at) % 3);
    const payload = make({ width: 13, height: 7, data });
    const isInside = maskReader(payload)!;
    data.forEach((value, at) => expect(isInside(at % 13, Math.floor(at / 13))).toBe(value !== 0));
    const half = make({ width: 1024, height: 512, data: Uint8Array.from({ length: 1024 * 512 }, (_, at) => Number(at % 1024 < 512)) }); // prettier-ignore
    expect([half.mask!.width, half.mask!.height]).toEqual([256, 128]);
    expect([127, 128].map((x) => maskReader(half)!(x, 5))).toEqual([true, false]);
    expect(readImageOverlay(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
  });

  it("is refused where its size does not fit", () => {
    expect(() => make({ width: 2, height: 2, data: [1] })).toThrow(/a mask of 2 × 2 pixels, got 1 values/);
    const payload = make({ width: 2, height: 2, data: [1, 0, 0, 1] });
    expect(() => readImageOverlay({ ...payload, mask: { ...payload.mask, width: 99 } })).toThrow(/mask\.data/);
  });
});

describe("a stored picture", () => {
  it("keeps its colours to half a level, on the average to much less", () => {
    const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, at) => [90, 200, 33][at % 3]);
    const [indices, table] = [pictureIndices({ width: 64, height: 64, data }), pictureTable()];
    for (let channel = 0; channel < 3; channel++) {
      const seen = Array.from(indices, (index) => table[4 * index + channel]);
      const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
      expect(Math.abs(mean - data[channel])).toBeLessThan(4);
      for (const value of new Set(seen)) expect(Math.abs(value - data[channel])).toBeLessThanOrEqual(51);
    }
    expect([...pictureIndices({ width: 1, height: 2, data: Uint8Array.of(0, 0, 0, 255, 255, 255) })]).toEqual([0, 251]);
  });

  it("is made smaller by means", () => {
    const small = smallerPicture({ width: 4, height: 2, data: Uint8Array.from({ length: 24 }, (_, at) => 10 * Math.floor(at / 3)) }, 2); // prettier-ignore
    expect(small).toEqual({ width: 2, height: 1, data: Uint8Array.of(25, 25, 25, 45, 45, 45) });
    expect(smallerPicture(picture, 4)).toBe(picture);
  });
});
