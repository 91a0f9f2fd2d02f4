import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { files } from "../../kernel/lib/host/files.js";
import type { Tokenizer } from "../../kernel/lib/models/tokenizer.js";
import { loadTokenizer } from "../../kernel/lib/models/tokenizer.js";
import { oracles } from "./oracle.js";

interface Recorded {
  readonly text: string;
  readonly ids_with_special: readonly number[];
  readonly offsets_with_special: readonly (readonly [number, number])[];
  readonly offsets: readonly (readonly [number, number])[];
  readonly offsets_utf16: readonly (readonly [number, number])[];
  readonly decoded_skip_special: string;
}

describe.each(["gpt2", "llama"])("the byte-level tokenizer of %s", (name) => {
  const folder = join(oracles, "models", name);
  const { strings } = JSON.parse(readFileSync(join(folder, "tokens.json"), "utf8")) as {
    readonly strings: readonly Recorded[];
  };
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = (await loadTokenizer(files, folder))!;
  });

  it("has 40 strings to read", () => expect(strings.length).toBe(40));

  it.each(strings)("reads $text as Python's tokenizers does", (recorded) => {
    const { ids, offsets } = tokenizer.encode(recorded.text);
    expect(ids).toEqual(recorded.ids_with_special);
    expect(offsets?.codePoints).toEqual(recorded.offsets_with_special);
    const added = recorded.ids_with_special.length - recorded.offsets.length;
    expect(offsets?.utf16.slice(added)).toEqual(recorded.offsets_utf16);
    expect(tokenizer.decode(ids)).toBe(recorded.decoded_skip_special);
  });

  it("labels tokens readably", () => {
    const labels = (text: string): string[] => tokenizer.encode(text).ids.map(tokenizer.label);
    const spelt = labels("a  b\n\tc 😀 é").join("|");
    expect(spelt).toMatch(/␣/);
    expect(spelt).toMatch(/⏎/);
    expect(spelt).toMatch(/⇥/);
    expect(spelt).not.toMatch(/[ĠĊĉ\ufffd\s]/);
    // Part of a character is told by its bytes.
    expect(labels("\u{20000}").join("")).toMatch(/\\x[0-9a-f]{2}/);
  });

  it("marks text that a lone surrogate breaks without failing", () => {
    expect(tokenizer.encode("a\ud800b").ids.length).toBeGreaterThan(2);
  });
});
