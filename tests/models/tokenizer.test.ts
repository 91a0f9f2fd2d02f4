import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { files } from "../../kernel/lib/host/files.js";
import type { Tokenizer } from "../../kernel/lib/models/tokenizer.js";
import { loadTokenizer } from "../../kernel/lib/models/tokenizer.js";

const miniLM = fileURLToPath(new URL("../../.cache/models/all-MiniLM-L6-v2", import.meta.url));
let plain: string;
let fromJson: Tokenizer;
let fromVocabulary: Tokenizer;

beforeAll(async () => {
  plain = mkdtempSync(join(tmpdir(), "tokenizer-"));
  for (const name of ["vocab.txt", "tokenizer_config.json"]) cpSync(join(miniLM, name), join(plain, name));
  fromJson = (await loadTokenizer(files, miniLM))!;
  fromVocabulary = (await loadTokenizer(files, plain))!;
});
afterAll(() => rmSync(plain, { recursive: true }));

/** Ids that the Python package tokenizers 0.23 gives for the same file, truncation and padding off. */
const recorded: Readonly<Record<string, readonly number[]>> = {
  "Hello, world!": [101, 7592, 1010, 2088, 999, 102],
  "  two   spaces\tand a tab\nand a line  ": [101, 2048, 7258, 1998, 1037, 21628, 1998, 1037, 2240, 102],
  "Caf\u00e9 na\u00efve \u00c0\u00c9\u00ce": [101, 7668, 15743, 29347, 2072, 102],
  "\u6570\u5b66 and \u6f22\u5b57": [101, 100, 1817, 1998, 1904, 100, 102],
  "I'm can't won't": [101, 1045, 1005, 1049, 2064, 1005, 1056, 2180, 1005, 1056, 102],
  "email@example.com https://a.b/c?d=e": [
    101, 10373, 1030, 2742, 1012, 4012, 16770, 1024, 1013, 1013, 1037, 1012, 1038, 1013, 1039, 1029, 1040, 1027, 1041,
    102,
  ],
  "unbelievableness antidisestablishmentarianism": [
    101, 23653, 2791, 3424, 10521, 4355, 7875, 13602, 3672, 12199, 2964, 102,
  ],
  "[MASK] is [SEP] special": [101, 103, 2003, 102, 2569, 102],
  "emoji \ud83d\ude00 and \u00e9": [101, 7861, 29147, 2072, 100, 1998, 1041, 102],
  "a\u0000b\u200dc\ufeffd": [101, 5925, 2094, 102],
  "123,456.78%": [101, 13138, 1010, 3429, 2575, 1012, 6275, 1003, 102],
  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx:
    [101, 100, 102],
  "Stra\u00dfe \u0130stanbul \ufb01": [101, 2358, 27807, 9960, 1984, 102],
  "\u043d\u0435\u0442 \u0434\u0430": [101, 1192, 15290, 22919, 1184, 10260, 102],
  "_under_score_ C++ C#": [101, 1035, 2104, 1035, 3556, 1035, 1039, 1009, 1009, 1039, 1001, 102],
};

describe("a WordPiece tokenizer", () => {
  it.each(Object.entries(recorded))("reads %j as Python's tokenizers does", (text, ids) => {
    expect(fromJson.encode(text).ids).toEqual(ids);
  });

  it.each(Object.keys(recorded))("made from vocab.txt reads %j the same", (text) => {
    expect(fromVocabulary.encode(text)).toEqual(fromJson.encode(text));
    expect(fromVocabulary.encode(text).ids.map(fromVocabulary.label)).toEqual(
      fromJson.encode(text).ids.map(fromJson.label),
    );
  });

  it("labels ids that it does not know by number", () => expect(fromJson.label(999_999)).toBe("#999999"));

  it("says where it came from", () => {
    expect([fromJson.name, fromVocabulary.name]).toEqual(["WordPiece (tokenizer.json)", "WordPiece (vocab.txt)"]);
  });
});
