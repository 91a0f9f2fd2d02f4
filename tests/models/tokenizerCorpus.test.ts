import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { files } from "../../kernel/lib/host/files.js";
import { loadTokenizer } from "../../kernel/lib/models/tokenizer.js";
import { oracles } from "./oracle.js";

interface Read {
  readonly ids: readonly number[];
  /** Start and end of each token, in code points. */
  readonly places: readonly number[];
}

const folder = join(oracles, "tokenizers");
const { texts, read } = JSON.parse(readFileSync(join(folder, "corpus.json"), "utf8")) as {
  readonly texts: readonly string[];
  readonly read: Readonly<Record<string, readonly Read[]>>;
};

describe("a long text", () => {
  it.each(["unigram", "precompiled", "wordpiece"])("is read by %s as its parts are", async (name) => {
    const tokenizer = (await loadTokenizer(files, join(folder, name)))!;
    const part = " The cat e\u0301 東京 👩\u200d👩\u200d👧";
    const [times, length] = [3000, [...part].length];
    const [one, all] = [tokenizer.encode(part), tokenizer.encode(part.repeat(times))];
    const body = one.ids.slice(1, -1);
    expect(all.ids.slice(1, -1)).toEqual(Array.from({ length: times }, () => body).flat());
    const moved = one.offsets.codePoints.slice(1, -1).map((span) => span.map((at) => at + (times - 1) * length));
    expect(all.offsets.codePoints.slice(-1 - body.length, -1)).toEqual(moved);
  });
});

describe.each(Object.entries(read))("random texts read by %s", (name, expected) => {
  it("have the ids and the places of Python's tokenizers", async () => {
    const tokenizer = (await loadTokenizer(files, join(folder, name)))!;
    expect(texts.length).toBeGreaterThan(200);
    const got = texts.map((text) => {
      const { ids, offsets } = tokenizer.encode(text);
      return { text, ids, places: offsets.codePoints.flat() };
    });
    expect(got).toEqual(texts.map((text, i) => ({ text, ...expected[i] })));
  });

  it("have the same places in code points and in indices of the string", async () => {
    const tokenizer = (await loadTokenizer(files, join(folder, name)))!;
    for (const text of texts) {
      const characters = [...text];
      const { codePoints, utf16 } = tokenizer.encode(text).offsets;
      codePoints.forEach(([start, end], i) =>
        expect(text.slice(...utf16[i])).toBe(characters.slice(start, end).join("")),
      );
    }
  });
});
