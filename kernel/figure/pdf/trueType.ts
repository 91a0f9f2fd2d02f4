import { joined } from "../zlib.js";

/** A TrueType font of which texts can be measured and parts can be embedded. */
export interface TrueType {
  readonly unitsPerEm: number;
  readonly ascent: number;
  readonly descent: number;
  readonly box: readonly [number, number, number, number];
  /** The glyph of a character; 0 where the font has none. */
  readonly glyphOf: (codePoint: number) => number;
  /** How far a glyph moves the pen, in units of the em. */
  readonly advance: (glyph: number) => number;
  /** A font of these glyphs alone, numbered in this order; the first must be 0. */
  readonly subset: (glyphs: readonly number[]) => Uint8Array;
}

/**
 * Reads a TrueType font.
 *
 * Throws   RangeError on bytes that are no such font
 * Source   OpenType 1.9: head, hhea, hmtx, maxp, loca, glyf, cmap formats 4 and 12
 */
export function readTrueType(given: Uint8Array): TrueType {
  // Slices of a Uint8Array are copies, which may be written to; those of Node's Buffer are not.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const view = new DataView(given.buffer, given.byteOffset, given.byteLength);
  const tables = new Map<string, { readonly at: number; readonly length: number }>();
  for (let i = 0; i < view.getUint16(4); i++) {
    const at = 12 + 16 * i;
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    tables.set(name, { at: view.getUint32(at + 8), length: view.getUint32(at + 12) });
  }
  const start = (name: string): number => {
    const table = tables.get(name);
    if (!table) throw new RangeError(`font: no table "${name}"`);
    return table.at;
  };
  const [head, hhea, hmtx, loca, glyf] = ["head", "hhea", "hmtx", "loca", "glyf"].map(start);
  const metrics = view.getUint16(hhea + 34);
  const long = view.getInt16(head + 50) === 1;
  const place = (glyph: number): number =>
    glyf + (long ? view.getUint32(loca + 4 * glyph) : 2 * view.getUint16(loca + 2 * glyph));
  const outline = (glyph: number): Uint8Array => bytes.slice(place(glyph), place(glyph + 1));
  const advance = (glyph: number): number => view.getUint16(hmtx + 4 * Math.min(glyph, metrics - 1));
  return {
    unitsPerEm: view.getUint16(head + 18),
    ascent: view.getInt16(hhea + 4),
    descent: view.getInt16(hhea + 6),
    box: [36, 38, 40, 42].map((at) => view.getInt16(head + at)) as [number, number, number, number],
    glyphOf: characterMap(view, start("cmap")),
    advance,
    subset(wanted): Uint8Array {
      const glyphs = [...wanted];
      // Parts of composite glyphs come after those that were asked for.
      for (let i = 0; i < glyphs.length; i++) {
        for (const { part } of partsOf(outline(glyphs[i]))) if (!glyphs.includes(part)) glyphs.push(part);
      }
      const outlines = glyphs.map((glyph) => {
        const shape = outline(glyph);
        const writable = new DataView(shape.buffer);
        for (const { part, at } of partsOf(shape)) writable.setUint16(at, glyphs.indexOf(part));
        return shape.length % 4 ? joined([shape, new Uint8Array(4 - (shape.length % 4))]) : shape;
      });
      const offsets = [0];
      for (const shape of outlines) offsets.push((offsets[offsets.length - 1] ?? 0) + shape.length);
      const table = (name: string): Uint8Array =>
        bytes.slice(start(name), start(name) + (tables.get(name)?.length ?? 0));
      const changed = (name: string, at: number, value: number): Uint8Array => {
        const copy = table(name);
        new DataView(copy.buffer).setUint16(at, value);
        return copy;
      };
      const kept = ["cvt ", "fpgm", "prep"]
        .filter((name) => tables.has(name))
        .map((name) => [name, table(name)] as const);
      return fontFile([
        ...kept,
        ["glyf", joined(outlines)],
        ["head", changed("head", 50, 1)],
        ["hhea", changed("hhea", 34, glyphs.length)],
        ["hmtx", words(glyphs.flatMap((glyph) => [advance(glyph), leftBearing(glyph)]))],
        ["loca", words(offsets.flatMap((offset) => [offset >>> 16, offset & 65535]))],
        ["maxp", changed("maxp", 4, glyphs.length)],
      ]);
    },
  };

  function leftBearing(glyph: number): number {
    return glyph < metrics
      ? view.getUint16(hmtx + 4 * glyph + 2)
      : view.getUint16(hmtx + 4 * metrics + 2 * (glyph - metrics));
  }
}

/** Sixteen-bit words, the high byte first. */
function words(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [(value >> 8) & 255, value & 255]));
}

/** The glyphs a composite glyph is made of, and where their numbers stand. */
function partsOf(shape: Uint8Array): readonly { readonly part: number; readonly at: number }[] {
  const view = new DataView(shape.buffer, shape.byteOffset, shape.byteLength);
  if (shape.length < 10 || view.getInt16(0) >= 0) return [];
  const parts: { part: number; at: number }[] = [];
  for (let at = 10, more = true; more;) {
    const flags = view.getUint16(at);
    parts.push({ part: view.getUint16(at + 2), at: at + 2 });
    at += 4 + (flags & 1 ? 4 : 2) + (flags & 8 ? 2 : flags & 0x40 ? 4 : flags & 0x80 ? 8 : 0);
    more = (flags & 0x20) !== 0;
  }
  return parts;
}

function characterMap(view: DataView, cmap: number): (codePoint: number) => number {
  const found = new Map<number, number>();
  for (let i = 0; i < view.getUint16(cmap + 2); i++) {
    const at = cmap + view.getUint32(cmap + 4 + 8 * i + 4);
    if (view.getUint16(cmap + 4 + 8 * i) === 3 || view.getUint16(cmap + 4 + 8 * i) === 0)
      found.set(view.getUint16(at), at);
  }
  const [four, twelve] = [found.get(4), found.get(12)];
  return (codePoint) => {
    if (twelve !== undefined) {
      for (let i = 0; i < view.getUint32(twelve + 12); i++) {
        const at = twelve + 16 + 12 * i;
        if (codePoint <= view.getUint32(at + 4)) {
          return codePoint >= view.getUint32(at) ? view.getUint32(at + 8) + codePoint - view.getUint32(at) : 0;
        }
      }
      return 0;
    }
    if (four === undefined || codePoint > 65535) return 0;
    const doubled = view.getUint16(four + 6);
    for (let i = 0; i < doubled; i += 2) {
      if (codePoint > view.getUint16(four + 14 + i)) continue;
      const first = view.getUint16(four + 16 + doubled + i);
      if (codePoint < first) return 0;
      const delta = view.getUint16(four + 16 + 2 * doubled + i);
      const rangeAt = four + 16 + 3 * doubled + i;
      const range = view.getUint16(rangeAt);
      const glyph = range === 0 ? codePoint : view.getUint16(rangeAt + range + 2 * (codePoint - first));
      return glyph === 0 ? 0 : (glyph + delta) & 65535;
    }
    return 0;
  };
}

/** Tables as a font file; names must be in order. */
function fontFile(tables: readonly (readonly [name: string, body: Uint8Array])[]): Uint8Array {
  const power = 2 ** Math.floor(Math.log2(tables.length));
  const header = new Uint8Array(12 + 16 * tables.length);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x00010000);
  [tables.length, power * 16, Math.log2(power), (tables.length - power) * 16].forEach((word, i) =>
    view.setUint16(4 + 2 * i, word),
  );
  const padded = tables.map(([, body]) => joined([body, new Uint8Array((4 - (body.length % 4)) % 4)]));
  let offset = header.length;
  tables.forEach(([name, body], i) => {
    const at = 12 + 16 * i;
    for (let letter = 0; letter < 4; letter++) header[at + letter] = name.charCodeAt(letter);
    const content = new DataView(padded[i].buffer);
    let sum = 0;
    for (let word = 0; word < padded[i].length; word += 4) sum = (sum + content.getUint32(word)) >>> 0;
    view.setUint32(at + 4, sum);
    view.setUint32(at + 8, offset);
    view.setUint32(at + 12, body.length);
    offset += padded[i].length;
  });
  return joined([header, ...padded]);
}
