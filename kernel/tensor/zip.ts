import { asciiBytes, asciiText, joinBytes } from "./bytes.js";
import { FormatError, UnsupportedError } from "./errors.js";

/** Unpacks raw deflate data of known size: zlib's `inflateRawSync`, say; never more than `sizeBytes` are wanted. */
export type Inflate = (packed: Uint8Array, sizeBytes: number) => Uint8Array;

const local = 0x04034b50;
const central = 0x02014b50;
const end = 0x06054b50;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = crcTable[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** A header record: each field as its value and its width in bytes. */
function record(fields: readonly (readonly [number, 2 | 4])[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}

/**
 * Files as a zip archive without compression.
 *
 * Throws   UnsupportedError beyond 4 GB or on a name that is not ASCII
 */
export function encodeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, bytes] of files) {
    // eslint-disable-next-line no-control-regex -- the range of ASCII
    if (!/^[\x00-\x7f]{1,65535}$/.test(name)) throw new UnsupportedError(`zip: expected an ASCII name, got "${name}"`);
    const head = asciiBytes(name);
    // The date is the first that the format can tell, so that equal contents give equal bytes.
    const shared = [[20, 2], [0, 2], [0, 2], [0, 2], [33, 2], [crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4], [head.length, 2], [0, 2]] as const; // prettier-ignore
    directory.push(record([[central, 4], [20, 2], ...shared, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]), head); // prettier-ignore
    const entry = [record([[local, 4], ...shared]), head, bytes];
    parts.push(...entry);
    offset += entry.reduce((sum, { length }) => sum + length, 0);
    if (offset > 0xffffffff || files.size > 0xffff) throw new UnsupportedError("zip: more than 4 GB or 65535 files");
  }
  const listing = joinBytes(directory);
  const tail = record([[end, 4], [0, 2], [0, 2], [files.size, 2], [files.size, 2], [listing.length, 4], [offset, 4], [0, 2]]); // prettier-ignore
  return joinBytes([...parts, listing, tail]);
}

/** A name in UTF-8, or byte by byte where it is not UTF-8. */
function nameOf(bytes: Uint8Array): string {
  try {
    return decodeURIComponent(bytes.reduce((text, byte) => `${text}%${byte.toString(16).padStart(2, "0")}`, ""));
  } catch {
    return asciiText(bytes);
  }
}

/**
 * The files in a zip archive by name, checked against their sums.
 *
 * Throws   FormatError on a broken archive; UnsupportedError on compression without `inflate`, or other than deflate
 */
export function decodeZip(bytes: Uint8Array, place = "zip", inflate?: Inflate): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wrong = (what: string): FormatError => new FormatError(`${place}: ${what}`);
  const read = (at: number, width: 2 | 4): number => {
    if (at + width > bytes.length) throw wrong(`ends at byte ${bytes.length}; is it truncated?`);
    return width === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
  };
  // The end record is last but for a comment of at most 65535 bytes.
  let tail = bytes.length - 22;
  while (tail >= 0 && tail >= bytes.length - 22 - 0xffff && read(tail, 4) !== end) tail--;
  if (tail < 0 || read(tail, 4) !== end) throw wrong("has no end record; is it truncated?");
  const files = new Map<string, Uint8Array>();
  let at = read(tail + 16, 4);
  for (let left = read(tail + 10, 2); left > 0; left--) {
    if (read(at, 4) !== central) throw wrong(`expected a directory entry at byte ${at}`);
    const [method, sum, packed, size] = [read(at + 10, 2), read(at + 16, 4), read(at + 20, 4), read(at + 24, 4)];
    const [nameLength, extra, comment, start] = [
      read(at + 28, 2),
      read(at + 30, 2),
      read(at + 32, 2),
      read(at + 42, 4),
    ];
    const name = nameOf(bytes.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + extra + comment;
    if (packed === 0xffffffff || size === 0xffffffff || start === 0xffffffff) {
      throw new UnsupportedError(`${place}: "${name}" uses the 64-bit form of zip, which cannot be read`);
    }
    if (read(start, 4) !== local) throw wrong(`expected the file "${name}" at byte ${start}`);
    const from = start + 30 + read(start + 26, 2) + read(start + 28, 2);
    if (from + packed > bytes.length) throw wrong(`"${name}" ends beyond byte ${bytes.length}; is it truncated?`);
    const content = unpack(place, name, method, bytes.subarray(from, from + packed), size, inflate);
    if (content.length !== size || crc32(content) !== sum) throw wrong(`"${name}" does not match its checksum`);
    files.set(name, content);
  }
  return files;
}

function unpack(
  place: string,
  name: string,
  method: number,
  packed: Uint8Array,
  size: number,
  inflate: Inflate | undefined,
): Uint8Array {
  if (method === 0) return packed;
  if (method !== 8 || !inflate) {
    throw new UnsupportedError(`${place}: "${name}" is compressed by method ${method}, which cannot be read here`);
  }
  try {
    return inflate(packed, size);
  } catch (error) {
    throw new FormatError(`${place}: "${name}" cannot be unpacked: ${(error as Error).message}`);
  }
}
