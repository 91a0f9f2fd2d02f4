const minMatch = 3;
const maxMatch = 258;
const window = 32_768;
const hashSize = 1 << 15;

/** Symbol 257 + i codes lengths from lengthBase[i], with lengthBits[i] extra bits (RFC 1951 §3.2.5). */
const lengthBits: readonly number[] = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const lengthBase: readonly number[] = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const distanceBits: readonly number[] = Array.from({ length: 30 }, (_, code) => Math.max(0, (code >> 1) - 1));
const distanceBase: readonly number[] = distanceBits.reduce<number[]>(
  (bases, _, code) => [...bases, code === 0 ? 1 : bases[code - 1] + (1 << distanceBits[code - 1])],
  [],
);

/** Collects bits, least significant first. */
class BitWriter {
  readonly #bytes: number[] = [];
  #held = 0;
  #count = 0;

  write(bits: number, count: number): void {
    this.#held |= bits << this.#count;
    this.#count += count;
    while (this.#count >= 8) {
      this.#bytes.push(this.#held & 255);
      this.#held >>>= 8;
      this.#count -= 8;
    }
  }

  /** Huffman codes run from their most significant bit. */
  writeCode(code: number, count: number): void {
    let reversed = 0;
    for (let bit = 0; bit < count; bit++) reversed |= ((code >> bit) & 1) << (count - 1 - bit);
    this.write(reversed, count);
  }

  /** A literal, length or end symbol in the fixed code (RFC 1951 §3.2.6). */
  writeSymbol(symbol: number): void {
    if (symbol < 144) this.writeCode(0x30 + symbol, 8);
    else if (symbol < 256) this.writeCode(0x190 + symbol - 144, 9);
    else if (symbol < 280) this.writeCode(symbol - 256, 7);
    else this.writeCode(0xc0 + symbol - 280, 8);
  }

  finish(): Uint8Array {
    if (this.#count) this.#bytes.push(this.#held & 255);
    return Uint8Array.from(this.#bytes);
  }
}

/**
 * One deflate block with fixed Huffman codes and greedy matches (RFC 1951).
 *
 * Range    never larger than about 9/8 of the input; runs and repeated rows shrink well
 */
export function deflate(input: Uint8Array): Uint8Array {
  const out = new BitWriter();
  out.write(1, 1);
  out.write(1, 2);
  const lastSeen = new Int32Array(hashSize).fill(-1);
  let at = 0;
  while (at < input.length) {
    const { length, distance } = longestMatch(input, at, lastSeen);
    if (length >= minMatch) {
      writeMatch(out, length, distance);
      for (let passed = at; passed < at + length; passed++) remember(input, passed, lastSeen);
      at += length;
    } else {
      out.writeSymbol(input[at]);
      remember(input, at, lastSeen);
      at++;
    }
  }
  out.writeSymbol(256);
  return out.finish();
}

const hashAt = (input: Uint8Array, at: number): number =>
  ((input[at] << 10) ^ (input[at + 1] << 5) ^ input[at + 2]) & (hashSize - 1);

function remember(input: Uint8Array, at: number, lastSeen: Int32Array): void {
  if (at + 2 < input.length) lastSeen[hashAt(input, at)] = at;
}

function longestMatch(
  input: Uint8Array,
  at: number,
  lastSeen: Int32Array,
): { readonly length: number; readonly distance: number } {
  const candidate = at + 2 < input.length ? lastSeen[hashAt(input, at)] : -1;
  if (candidate < 0 || at - candidate > window) return { length: 0, distance: 0 };
  const limit = Math.min(maxMatch, input.length - at);
  let length = 0;
  while (length < limit && input[candidate + length] === input[at + length]) length++;
  return { length, distance: at - candidate };
}

function writeMatch(out: BitWriter, length: number, distance: number): void {
  const lengthCode = lengthBase.findLastIndex((base) => base <= length);
  out.writeSymbol(257 + lengthCode);
  out.write(length - lengthBase[lengthCode], lengthBits[lengthCode]);
  const distanceCode = distanceBase.findLastIndex((base) => base <= distance);
  out.writeCode(distanceCode, 5);
  out.write(distance - distanceBase[distanceCode], distanceBits[distanceCode]);
}
