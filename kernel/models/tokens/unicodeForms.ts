import type { Aligned, Change } from "./aligned.js";

export type Form = "NFC" | "NFD" | "NFKC" | "NFKD";

/** Marks of the lowest and the highest combining class but one: between them every mark changes places with one. */
const [lowMark, highMark] = ["\u0334", "\u0345"];
const isMark = new Map<string, boolean>();

/** Whether two characters that stand in this order belong in the other one. */
function swaps(a: string, b: string): boolean {
  return a !== b && (a + b).normalize("NFD") === b + a;
}

/** Whether a decomposed character has a combining class: whether it may change places. */
function combines(character: string): boolean {
  const known = isMark.get(character);
  if (known !== undefined) return known;
  const found =
    character === lowMark || character === highMark || swaps(highMark, character) || swaps(character, lowMark);
  isMark.set(character, found);
  return found;
}

/** Characters taken apart, their marks in canonical order, each change travelling with its character. */
function decomposed(characters: readonly string[], form: "NFD" | "NFKD"): Change[] {
  const result: Change[] = [];
  for (const character of characters) {
    [...character.normalize(form)].forEach((part, i) => {
      let at = result.length;
      while (at > 0 && combines(part) && swaps(result[at - 1][0], part)) at--;
      result.splice(at, 0, [part, i === 0 ? 0 : 1]);
    });
  }
  return result;
}

/** Marks and vowels joined to what they follow. */
function composed(parts: readonly Change[]): Change[] {
  const result: Change[] = [];
  let starter = -1;
  for (const [character, change] of parts) {
    const last = result.at(-1)?.[0];
    if (starter >= 0) {
      const isNext = starter === result.length - 1;
      // A mark of the same class in between keeps others out, and so does anything before a character without a class.
      const isOpen = isNext || (combines(character) && combines(last!) && swaps(character, last!));
      const joined = (result[starter][0] + character).normalize("NFC");
      if (isOpen && [...joined].length === 1) {
        result[starter] = [joined, result[starter][1] + change - 1];
        continue;
      }
    }
    if (!combines(character)) starter = result.length;
    result.push([character, change]);
  }
  return result;
}

/**
 * A text in a normal form of Unicode, each character of it with what it was made from.
 *
 * Source   Unicode Standard Annex #15 §1; changes as in the Python package tokenizers
 */
export function normalForm(x: Aligned, form: Form): Aligned {
  if (x.text.normalize(form) === x.text && x.characters.every((character) => character <= "\u00ff")) return x;
  const apart = decomposed(x.characters, form.includes("K") ? "NFKD" : "NFD");
  return x.changed(form.endsWith("C") ? composed(apart) : apart);
}
