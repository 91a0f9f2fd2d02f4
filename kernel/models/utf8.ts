/** A half-open range. */
export type Span = readonly [start: number, end: number];

/** The bytes of a text, each with the character that it belongs to. */
export interface TextBytes {
  readonly bytes: readonly number[];
  /** Per byte: its character's code point index. */
  readonly codePoints: readonly number[];
  /** Per byte: where its character lies in the string. */
  readonly utf16: readonly Span[];
  /** Number of characters. */
  readonly length: number;
}

/** UTF-8 of one code point; a lone surrogate is replaced by U+FFFD, as encoders do. */
function encoded(point: number): number[] {
  if (point >= 0xd800 && point <= 0xdfff) return [0xef, 0xbf, 0xbd];
  if (point < 0x80) return [point];
  const tail = (shift: number): number => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x800) return [0xc0 | (point >> 6), tail(0)];
  if (point < 0x10000) return [0xe0 | (point >> 12), tail(6), tail(0)];
  return [0xf0 | (point >> 18), tail(12), tail(6), tail(0)];
}

export function bytesOfText(text: string): TextBytes {
  const [bytes, codePoints, utf16]: [number[], number[], Span[]] = [[], [], []];
  let length = 0;
  let start = 0;
  for (const character of text) {
    const end = start + character.length;
    for (const byte of encoded(character.codePointAt(0)!)) {
      bytes.push(byte);
      codePoints.push(length);
      utf16.push([start, end]);
    }
    start = end;
    length++;
  }
  return { bytes, codePoints, utf16, length };
}
