import type { TrueType } from "./trueType.js";

/** A font as a page uses it: its glyphs are numbered in the order in which they are first drawn. */
export interface UsedFont {
  readonly font: TrueType;
  readonly glyphs: number[];
  /** What each used glyph stands for. */
  readonly texts: string[];
}

/** An embedded palette picture. */
export interface UsedImage {
  readonly width: number;
  readonly height: number;
  /** zlib stream of filtered lines, as in a PNG. */
  readonly data: Uint8Array;
  /** Red, green, blue of each index. */
  readonly palette: Uint8Array;
  /** Indices that are not painted, first and last. */
  readonly clear: readonly [number, number] | undefined;
}

/** What a page draws with. */
export interface Resources {
  readonly fonts: Readonly<Record<"regular" | "bold", UsedFont>>;
  readonly images: UsedImage[];
  /** Opacities, by their place. */
  readonly opacities: number[];
}

/** Nothing used yet. */
export function emptyResources(fonts: Readonly<Record<"regular" | "bold", TrueType>>): Resources {
  const used = (font: TrueType): UsedFont => ({ font, glyphs: [0], texts: ["\uFFFD"] });
  return { fonts: { regular: used(fonts.regular), bold: used(fonts.bold) }, images: [], opacities: [] };
}

/** A text as glyph numbers in hexadecimal, and its width in ems. */
export function setText(used: UsedFont, text: string): { readonly hex: string; readonly ems: number } {
  let [hex, units] = ["", 0];
  for (const letter of text) {
    const glyph = used.font.glyphOf(letter.codePointAt(0) ?? 0);
    let at = used.glyphs.indexOf(glyph);
    if (at < 0) {
      at = used.glyphs.push(glyph) - 1;
      used.texts.push(letter);
    }
    hex += at.toString(16).padStart(4, "0");
    units += used.font.advance(glyph);
  }
  return { hex, ems: units / used.font.unitsPerEm };
}

/**
 * A palette picture from the PNG that a drawer made.
 *
 * Throws   RangeError on another kind of PNG
 */
export function readPalettePng(png: Uint8Array): UsedImage {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at + 12 <= png.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...png.subarray(at + 4, at + 8));
    chunks.set(name, png.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const [palette, data] = [chunks.get("PLTE"), chunks.get("IDAT")];
  if (!palette || !data || png[25] !== 3) throw new RangeError("pdf: expected a palette PNG");
  const opacity = [...(chunks.get("tRNS") ?? [])];
  const first = opacity.indexOf(0);
  const last = opacity.lastIndexOf(0);
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    data,
    palette,
    clear: first < 0 ? undefined : [first, last],
  };
}
