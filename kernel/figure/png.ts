import { bigEndian, joined, zlib } from "./zlib.js";

const signature = [137, 80, 78, 71, 13, 10, 26, 10];

const crcTable: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** An indexed picture: `indices` [height,width] into `colours` [n,4] red, green, blue, opacity, n ≤ 256. */
export interface PalettePicture {
  readonly width: number;
  readonly height: number;
  readonly indices: Uint8Array;
  readonly colours: Uint8Array;
}

/** The bytes of an 8-bit palette PNG: the indices are the data. */
export function palettePng(picture: PalettePicture): Uint8Array {
  const { width, height, indices, colours } = picture;
  const lines = new Uint8Array(height * (width + 1));
  for (let row = 0; row < height; row++) {
    lines.set(indices.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  const count = colours.length / 4;
  const rgb = Uint8Array.from({ length: count * 3 }, (_, at) => colours[Math.floor(at / 3) * 4 + (at % 3)]);
  const alpha = Uint8Array.from({ length: count }, (_, at) => colours[at * 4 + 3]);
  return joined([
    Uint8Array.from(signature),
    chunk("IHDR", joined([bigEndian(width), bigEndian(height), Uint8Array.from([8, 3, 0, 0, 0])])),
    chunk("PLTE", rgb),
    chunk("tRNS", alpha),
    chunk("IDAT", zlib(lines)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** A PNG with texts of any script beside the picture, such as its title: `iTXt` chunks right after the header. */
export function pngWithText(png: Uint8Array, texts: Readonly<Record<string, string>>): Uint8Array {
  const headerEnd = 33;
  const chunks = Object.entries(texts).map(([name, text]) =>
    chunk("iTXt", joined([Uint8Array.from(`${name}\0\0\0\0\0`, (letter) => letter.charCodeAt(0)), utf8(text)])),
  );
  return joined([png.subarray(0, headerEnd), ...chunks, png.subarray(headerEnd)]);
}

function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(
    text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD"),
  );
  return Uint8Array.from(escaped.match(/%..|./g) ?? [], (unit) =>
    unit.length === 3 ? parseInt(unit.slice(1), 16) : unit.charCodeAt(0),
  );
}

function chunk(name: string, body: Uint8Array): Uint8Array {
  const typed = joined([Uint8Array.from(name, (letter) => letter.charCodeAt(0)), body]);
  return joined([bigEndian(body.length), typed, bigEndian(crc32(typed))]);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
