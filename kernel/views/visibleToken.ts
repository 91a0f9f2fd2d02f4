/**
 * Tokens as read: white space made visible, in text or as a vocabulary spells it, control characters replaced.
 *
 * Differs  a word that begins with the letter Ġ, as in Maltese, reads as one after a space
 */
export function visibleToken(token: string): string {
  return (
    inText(token)
      .replace(/^ +/, (spaces) => "␣".repeat(spaces.length))
      .replace(/\r\n|\r|\n/g, "⏎")
      .replace(/\t/g, "⇥")
      .replace(/[ \u00A0\u3000]/g, "·")
      // eslint-disable-next-line no-control-regex -- they have no picture of their own
      .replace(/[\u0000-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/g, "�") || "∅"
  );
}

/** White space as text: byte-level vocabularies spell it with letters, others with a low block. */
function inText(token: string): string {
  const isBlank = /^[ĠĊĉ▁]+$/.test(token);
  return token.replace(isBlank ? /./g : /^[Ġ▁]+|Ċ+$/g, (letters) =>
    letters.replace(/[Ġ▁]/g, " ").replaceAll("Ċ", "\n").replaceAll("ĉ", "\t"),
  );
}
