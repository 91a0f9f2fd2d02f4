// Counts pairs of characters in a text for kernel/tasks/parts/englishBigrams.ts.
//   node scripts/englishBigrams.mjs kjv.txt > kernel/tasks/parts/englishBigrams.ts
// The text is the King James Version as Debian's packages bible-kjv and bible-kjv-text print it
// (`bible "gen1:1-rev22:21" > kjv.txt`), in lower case, with everything but letters as one space.
import { readFileSync } from "node:fs";

const characters = " abcdefghijklmnopqrstuvwxyz";
const text = readFileSync(process.argv[2], "utf8").toLowerCase().replace(/[^a-z]+/g, " ").trim(); // prettier-ignore
const counts = Array.from(characters, () => new Array(characters.length).fill(0));
for (let at = 0; at + 1 < text.length; at++) {
  counts[characters.indexOf(text[at])][characters.indexOf(text[at + 1])]++;
}
console.log(`/** Characters of English text, in the order of the rows below. */
export const characters = ${JSON.stringify(characters)};

/**
 * How often each character is followed by each: row by row.
 *
 * Source   the King James Version of the Bible (1611), by scripts/englishBigrams.mjs
 */
// prettier-ignore
export const bigramCounts: readonly (readonly number[])[] = [
${counts.map((row) => `  [${row.join(", ")}],`).join("\n")}
];`);
