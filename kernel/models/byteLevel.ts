/** Printable bytes stand for themselves, the others for the characters from U+0100 on. */
const alphabet: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 256 }, (_, byte) => byte)
    .filter((byte) => !isPrintable(byte))
    .map((byte, i): [string, number] => [String.fromCharCode(256 + i), byte])
    .concat(
      Array.from({ length: 256 }, (_, byte) => byte)
        .filter(isPrintable)
        .map((byte): [string, number] => [String.fromCharCode(byte), byte]),
    ),
);

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/**
 * The bytes that a byte-level token stands for; undefined for a token outside the alphabet.
 *
 * Source   Radford et al. 2019 §2.2
 */
export function bytesOfToken(token: string): readonly number[] | undefined {
  const bytes = Array.from(token, (character) => alphabet.get(character));
  return bytes.every((byte) => byte !== undefined) ? bytes : undefined;
}

const spelling: ReadonlyMap<number, string> = new Map([...alphabet].map(([character, byte]) => [byte, character]));

/** The character that stands for a byte. */
export function characterOfByte(byte: number): string {
  return spelling.get(byte)!;
}
