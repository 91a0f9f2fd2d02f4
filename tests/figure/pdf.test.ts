import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { figureOf, svgToPdf } from "attention-lab/figure";
import { curves, curvesMime, type PayloadMime } from "attention-lab/views";
import { readTrueType } from "../../kernel/figure/pdf/trueType.js";
import { examples } from "../gallery/examples.js";

const font = (name: string): Uint8Array =>
  readFileSync(createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));
const fonts = { regular: font("DejaVuSans"), bold: font("DejaVuSans-Bold") };

/** The objects of a PDF by their numbers, found through its own table; streams are unpacked. */
function objectsOf(pdf: Uint8Array): Map<number, { readonly text: string; readonly stream: Buffer | undefined }> {
  const bytes = Buffer.from(pdf);
  const all = bytes.toString("latin1");
  const table = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(all)?.[1]);
  expect(all.slice(table, table + 4)).toBe("xref");
  const places = [...all.slice(table).matchAll(/^(\d{10}) 00000 n $/gm)].map(([, place]) => Number(place));
  return new Map(
    places.map((place, i) => {
      expect(all.slice(place).startsWith(`${i + 1} 0 obj\n`)).toBe(true);
      const end = all.indexOf("\nendobj\n", place);
      const start = all.indexOf("stream\n", place);
      const text = all.slice(place, start < 0 || start > end ? end : start);
      const length = Number(/\/Length (\d+)/.exec(text)?.[1]);
      const packed = start < 0 || start > end ? undefined : bytes.subarray(start + 7, start + 7 + length);
      return [i + 1, { text, stream: packed && inflateSync(packed) }] as const;
    }),
  );
}

/** The texts of a page, glyphs read back through the ToUnicode maps. */
function textsOf(pdf: Uint8Array): string[] {
  const objects = [...objectsOf(pdf).values()];
  const maps = objects
    .map(({ stream }) => stream?.toString("latin1") ?? "")
    .filter((text) => text.includes("begincmap"))
    .map((text) => new Map([...text.matchAll(/^<(\w{4})> <(\w+)>$/gm)].map(([, glyph, hex]) => [glyph, hex])));
  const page =
    objects.map(({ stream }) => stream?.toString("latin1") ?? "").find((text) => text.includes(" Tj ET")) ?? "";
  return [...page.matchAll(/\/F(\d) \S+ Tf .*?<(\w*)> Tj/g)].map(([, face, glyphs]) =>
    (glyphs.match(/.{4}/g) ?? [])
      .map((glyph) =>
        Buffer.from(maps[Number(face)]?.get(glyph) ?? "fffd", "hex")
          .swap16()
          .toString("utf16le"),
      )
      .join(""),
  );
}

const unescaped = (text: string): string =>
  text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, "&");

describe("a drawing as PDF", () => {
  it.each(Object.keys(examples) as PayloadMime[])("holds every text of the drawing, to be searched: %s", (mime) => {
    const [make] = Object.values<() => unknown>(examples[mime]);
    const svg = figureOf(mime, make?.())!;
    const pdf = svgToPdf(svg, fonts);
    const drawn = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => unescaped(text));
    expect(textsOf(pdf)).toEqual(drawn);
    const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
    const page = [...objectsOf(pdf).values()].find(({ text }) => text.includes("/Type/Page/"))!.text;
    expect(page).toContain(`/MediaBox[0 0 ${Number(width) * 0.75} ${Number(height) * 0.75}]`);
    expect(svgToPdf(svg, fonts)).toEqual(pdf);
  });

  it("keeps vectors vectors: a curve's points are in the page", () => {
    const svg = figureOf(curvesMime, curves([{ name: "a", x: [0, 1], y: [0, 1] }], { title: "t" }))!;
    const [, x, y] = /d="M([\d.]+) ([\d.]+)L/.exec(svg)!;
    const page = [...objectsOf(svgToPdf(svg, fonts)).values()]
      .map(({ stream }) => stream?.toString("latin1") ?? "")
      .join("");
    expect(page).toContain(`${x} ${y} m`);
  });

  it("says title and description as the document's, in any script", () => {
    const svg = figureOf(curvesMime, curves([{ name: "ε → 漢", x: [0], y: [0] }], { title: "Ω <b>" }))!;
    const info = [...objectsOf(svgToPdf(svg, fonts)).values()].find(({ text }) => text.includes("/Title"))!.text;
    const [, hex] = /\/Title <feff(\w+)>/.exec(info)!;
    expect(Buffer.from(hex, "hex").swap16().toString("utf16le")).toBe("Ω <b>");
  });

  it("refuses what no drawer writes", () => {
    const svg = (inside: string): string => `<svg width="1" height="1" fill="#000000">${inside}</svg>`;
    expect(() => svgToPdf(svg("<script>1</script>"), fonts)).toThrow(/no way to draw <script>/);
    expect(() => svgToPdf(svg('<rect fill="var(--x)"/>'), fonts)).toThrow(/no way to paint "var\(--x\)"/);
    expect(() => svgToPdf("<svg><g>", fonts)).toThrow(/one whole <svg>/);
    expect(() => svgToPdf(svg('<image href="http://example.org/a.png"/>'), fonts)).toThrow(/pictures inside/);
  });
});

describe("a part of a font", () => {
  it("has the outlines and widths of the glyphs that were asked for, accented ones with their parts", () => {
    const whole = readTrueType(fonts.regular);
    const glyphs = [0, ..."aéẬ"].map((letter) => (letter === 0 ? 0 : whole.glyphOf(String(letter).codePointAt(0)!)));
    expect(glyphs.slice(1).every((glyph) => glyph > 0)).toBe(true);
    const bytes = whole.subset(glyphs);
    expect(bytes.length).toBeLessThan(30_000);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const tables = new Map(
      Array.from({ length: view.getUint16(4) }, (_, i) => {
        const at = 12 + 16 * i;
        return [String.fromCharCode(...bytes.subarray(at, at + 4)), view.getUint32(at + 8)] as const;
      }),
    );
    const hmtx = tables.get("hmtx")!;
    glyphs.forEach((glyph, i) => expect(view.getUint16(hmtx + 4 * i)).toBe(whole.advance(glyph)));
    const count = view.getUint16(tables.get("maxp")! + 4);
    expect(count).toBeGreaterThan(glyphs.length);
    const [loca, glyf] = [tables.get("loca")!, tables.get("glyf")!];
    const composite = glyf + view.getUint32(loca + 8);
    expect(view.getInt16(composite)).toBeLessThan(0);
    expect(view.getUint16(composite + 12)).toBeLessThan(count);
  });

  it("is not read from other bytes", () => expect(() => readTrueType(new Uint8Array(64))).toThrow(RangeError));
});
