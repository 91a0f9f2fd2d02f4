/** How many code points lie before a UTF-16 offset; inside a surrogate pair, those up to its beginning. */
export function codePointsBefore(text: string, offset: number): number {
  let count = 0;
  for (let at = 0; at < offset && at < text.length; count += 1) {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    if (at > offset) break;
  }
  return count;
}

/** The UTF-16 offset that a number of code points reaches; the end of the text where it is too large. */
export function offsetOf(text: string, codePoints: number): number {
  let at = 0;
  for (let count = 0; count < codePoints && at < text.length; count += 1) {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  return at;
}
