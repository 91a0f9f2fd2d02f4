import { describe, expect, it } from "vitest";
import { niceTop, paletteColours, paletteNames, scaleNames } from "attention-lab/figure";
import { headGrid, readPatterns } from "attention-lab/views";
import { gridLayout, headAt } from "../../extension/src/draw/gridLayout.js";
import {
  colourise,
  colourTable,
  emptyLevel,
  createPainter,
  levelsOf,
  maskLevel,
  storedLevels,
} from "../../extension/src/draw/raster.js";
import { seeded } from "../gallery/headGrid.js";

describe("gridLayout", () => {
  const sizes = [
    { layers: 6, heads: 12, rows: 14, columns: 14 },
    { layers: 12, heads: 12, rows: 64, columns: 64 },
    { layers: 32, heads: 32, rows: 512, columns: 512 },
    { layers: 80, heads: 64, rows: 20, columns: 20 },
    { layers: 1, heads: 1, rows: 1, columns: 1 },
    { layers: 2, heads: 3, rows: 5, columns: 63 },
  ];
  it.each(sizes)("fits $layers × $heads heads of $rows × $columns into every width, ratio and map", (size) => {
    for (const width of [320, 670, 970]) {
      for (const ratio of [1, 1.25, 2]) {
        for (const map of [{}, { largest: 26, widestGap: 4 }]) {
          const layout = gridLayout({ ...size, ...map, width, ratio });
          expect(layout.width).toBeLessThanOrEqual(width * ratio);
          expect(layout.cellWidth).toBeGreaterThan(0);
          expect(layout.pitchX).toBeGreaterThanOrEqual(layout.cellWidth);
          expect(
            Object.values(layout)
              .filter((value) => value !== ratio)
              .every(Number.isInteger),
          ).toBe(true);
        }
      }
    }
  });

  it("magnifies a short pattern by a whole number", () => {
    const layout = gridLayout({ layers: 6, heads: 12, rows: 14, columns: 14, width: 870, ratio: 1 });
    expect(layout.cellWidth % 14).toBe(0);
    expect(layout.cellWidth).toBeGreaterThanOrEqual(42);
    expect(layout.cellHeight).toBe(layout.cellWidth);
  });

  it("finds the head and the place in it, and nothing in the gaps", () => {
    const layout = gridLayout({ layers: 2, heads: 3, rows: 10, columns: 10, width: 330, ratio: 2 });
    for (let layer = 0; layer < 2; layer++) {
      for (let head = 0; head < 3; head++) {
        const x = (head * layout.pitchX + 0.55 * layout.cellWidth) / 2;
        const y = (layer * layout.pitchY + 0.25 * layout.cellHeight) / 2;
        const found = headAt(layout, 2, 3, x, y);
        expect(found).toMatchObject({ layer, head });
        expect(found!.across).toBeCloseTo(0.55, 10);
        expect(found!.down).toBeCloseTo(0.25, 10);
      }
    }
    expect(headAt(layout, 2, 3, (layout.cellWidth + 1) / 2, 1)).toBeUndefined();
    expect(headAt(layout, 2, 3, -1, 1)).toBeUndefined();
    expect(headAt(layout, 2, 3, 1, layout.height / 2 + 1)).toBeUndefined();
  });
});

describe("raster", () => {
  const paint = (levels: Uint16Array, rows: number, columns: number, width: number, height: number): Uint16Array => {
    const sheet = new Uint16Array((width + 4) * (height + 2)).fill(emptyLevel);
    createPainter({ width, height }, rows, columns)(sheet, width + 4, 3, 1, levels);
    const inside: number[] = [];
    sheet.forEach((level, at) => {
      const x = (at % (width + 4)) - 3;
      const y = Math.floor(at / (width + 4)) - 1;
      if (x >= 0 && x < width && y >= 0 && y < height) inside.push(level);
      else expect(level).toBe(emptyLevel);
    });
    return Uint16Array.from(inside);
  };

  it("magnifies without blending", () => {
    const painted = paint(Uint16Array.of(1, 2, 3, 4), 2, 2, 6, 4);
    expect([...painted]).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4]);
  });

  it.each([
    [10, 10, 3, 4],
    [64, 64, 54, 54],
    [7, 512, 7, 60],
  ])("reduces %i × %i to %i × %i by the largest weight covered", (rows, columns, height, width) => {
    const random = seeded(rows);
    const levels = Uint16Array.from({ length: rows * columns }, () => Math.floor(random() * 256));
    const painted = paint(levels, rows, columns, width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let largest = 0;
        for (
          let row = Math.floor((y * rows) / height);
          row < Math.max(1, Math.ceil(((y + 1) * rows) / height));
          row++
        ) {
          for (
            let column = Math.floor((x * columns) / width);
            column < Math.ceil(((x + 1) * columns) / width);
            column++
          ) {
            largest = Math.max(largest, levels[row * columns + column]);
          }
        }
        expect(painted[y * width + x]).toBe(largest);
      }
    }
  });

  it("keeps the mask only where nothing else is", () => {
    expect([...paint(Uint16Array.of(maskLevel, 7, maskLevel, maskLevel), 2, 2, 1, 2)]).toEqual([7, maskLevel]);
  });

  it("shows the causal mask as no weight, also pooled and with more keys than queries", () => {
    const levels = (rows: number, columns: number, block: number, queries: number, keys: number): number[] => [
      ...levelsOf(
        { weights: new Float32Array(rows * columns), rows, columns, block, causal: true, queries, keys },
        1,
        "linear",
      ),
    ];
    const o = maskLevel;
    expect(levels(3, 3, 1, 3, 3)).toEqual([0, o, o, 0, 0, o, 0, 0, 0]);
    expect(levels(2, 4, 1, 2, 4)).toEqual([0, 0, 0, o, 0, 0, 0, 0]);
    expect(levels(2, 2, 2, 3, 3)).toEqual([0, o, 0, 0]);
  });

  it.each([
    ["float16", 12, 1],
    ["sqrt8", 64, 9],
  ])("stored as %s, heads have the levels of their unpacked weights", (codec, tokens, layers) => {
    const random = seeded(tokens);
    const weights = Float32Array.from({ length: tokens * tokens }, () => random() ** 3);
    const names = Array.from({ length: tokens }, (_, at) => `t${at}`);
    const pattern = (layer: number, head: number): Float32Array => weights.map((weight) => weight / (1 + layer + head));
    const samples = [{ queryTokens: names, keyTokens: names, pattern }];
    const { samples: stored } = headGrid({ title: "", layers, heads: 12, causal: true, samples, provenance: {} });
    const { patterns, scalars } = stored[0];
    expect(patterns.codec).toBe(codec);
    const reader = readPatterns(patterns, 12, scalars.max);
    const shape = { rows: tokens, columns: tokens, block: 1, causal: true, queries: tokens, keys: tokens };
    for (const scale of scaleNames) {
      const levelsOfHead = storedLevels(shape, niceTop(1), scale);
      for (const head of [0, 5, 11]) {
        const source = { ...shape, weights: reader.head(layers - 1, head) };
        expect([...levelsOfHead(reader.codes(layers - 1, head))]).toEqual([...levelsOf(source, niceTop(1), scale)]);
      }
    }
  });

  it.each(paletteNames)("%s colours a weight as the palette says, the mask never", (palette) => {
    const table = colourTable(palette);
    const colours = paletteColours(palette);
    for (const scale of scaleNames) {
      for (const weight of [0, 0.02, 0.25, 0.5, 1]) {
        const source = {
          weights: Float32Array.of(weight),
          rows: 1,
          columns: 1,
          block: 1,
          causal: false,
          queries: 1,
          keys: 1,
        };
        const levels = levelsOf(source, niceTop(1), scale);
        const pixels = new Uint32Array(1);
        colourise(levels, table, pixels);
        const step = Math.round(255 * (scale === "sqrt" ? Math.sqrt(weight) : weight));
        expect([...new Uint8Array(pixels.buffer)]).toEqual([...colours.subarray(step * 3, step * 3 + 3), 255]);
      }
    }
    const data = new Set([...table.subarray(0, 256)]);
    expect(data.has(table[maskLevel])).toBe(false);
    expect(table[emptyLevel]).toBe(0);
  });
});
