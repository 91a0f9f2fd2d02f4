import { crc32, inflateRawSync, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { deflate } from "../../kernel/figure/deflate.js";
import { palettePng } from "../../kernel/figure/png.js";
import { seeded } from "../gallery/headGrid.js";

describe("deflate", () => {
  const random = seeded(11);
  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["one byte", Uint8Array.of(200)],
    ["zeros", new Uint8Array(100_000)],
    ["every byte", Uint8Array.from({ length: 256 }, (_, at) => at)],
    ["noise", Uint8Array.from({ length: 70_000 }, () => Math.floor(random() * 256))],
    ["a short period far back", Uint8Array.from({ length: 120_000 }, (_, at) => (at % 40_000) % 251)],
    ["runs of all lengths", Uint8Array.from({ length: 50_000 }, (_, at) => Math.floor(Math.sqrt(at)))],
  ])("%s inflates to itself", (_, bytes) => {
    expect(Buffer.compare(inflateRawSync(deflate(bytes)), Buffer.from(bytes))).toBe(0);
  });

  it("shrinks runs a hundredfold and never grows by more than an eighth", () => {
    expect(deflate(new Uint8Array(100_000)).length).toBeLessThan(1_000);
    const noise = Uint8Array.from({ length: 10_000 }, () => Math.floor(random() * 256));
    expect(deflate(noise).length).toBeLessThan(10_000 * 1.13);
  });
});

describe("palettePng", () => {
  it("is a PNG whose indices are the data", () => {
    const indices = Uint8Array.of(0, 1, 2, 2, 1, 0);
    const colours = Uint8Array.of(0, 0, 0, 255, 10, 20, 30, 255, 9, 9, 9, 0);
    const png = Buffer.from(palettePng({ width: 3, height: 2, indices, colours }));
    expect(png.subarray(0, 8)).toEqual(Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]));
    const chunks = new Map<string, Buffer>();
    for (let at = 8; at < png.length;) {
      const length = png.readUInt32BE(at);
      const typed = png.subarray(at + 4, at + 8 + length);
      expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(typed));
      chunks.set(typed.toString("latin1", 0, 4), typed.subarray(4));
      at += length + 12;
    }
    expect([...chunks.keys()]).toEqual(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);
    expect(chunks.get("IHDR")).toEqual(Buffer.from([0, 0, 0, 3, 0, 0, 0, 2, 8, 3, 0, 0, 0]));
    expect(chunks.get("PLTE")).toEqual(Buffer.from([0, 0, 0, 10, 20, 30, 9, 9, 9]));
    expect(chunks.get("tRNS")).toEqual(Buffer.from([255, 255, 0]));
    expect(inflateSync(chunks.get("IDAT")!)).toEqual(Buffer.from([0, 0, 1, 2, 0, 2, 1, 0]));
  });
});
