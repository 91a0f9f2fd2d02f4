import { deflate } from "./deflate.js";

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
  return join([
    Uint8Array.from(signature),
    chunk("IHDR", join([bigEndian(width), bigEndian(height), Uint8Array.from([8, 3, 0, 0, 0])])),
    chunk("PLTE", rgb),
    chunk("tRNS", alpha),
    chunk("IDAT", join([Uint8Array.from([0x78, 0x01]), deflate(lines), bigEndian(adler32(lines))])),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

function chunk(name: string, body: Uint8Array): Uint8Array {
  const typed = join([Uint8Array.from(name, (letter) => letter.charCodeAt(0)), body]);
  return join([bigEndian(body.length), typed, bigEndian(crc32(typed))]);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return ((high << 16) | low) >>> 0;
}

function bigEndian(word: number): Uint8Array {
  return Uint8Array.from([word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
