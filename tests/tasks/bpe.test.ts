import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { load, save, tasks, transformer } from "../../kernel/lib/index.js";

const folder = mkdtempSync(join(tmpdir(), "attention-lab-bpe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const book = "low low low low low lower lower newest newest newest newest newest newest widest widest widest. ";

describe("bpe", () => {
  it("joins the pairs of the paper's example, most frequent first", () => {
    const tokens = tasks.bpe(book.repeat(2), { size: 20 });
    const pairs = tokens.merges.map((pair) => pair.join("+"));
    // By hand: "es" and "st" are the most frequent pairs, 18 each; of equals the first in order of characters comes first.
    expect(pairs.slice(0, 2)).toEqual(["e+s", "es+t"]);
    expect(tokens.vocabulary).toHaveLength(20);
    expect(tokens.vocabulary).toContain("est");
  });

  it("cuts any text of the same characters into tokens that spell it again", () => {
    const tokens = tasks.bpe(book, { size: 24, special: ["<s>"] });
    expect(tokens.vocabulary[0]).toBe("<s>");
    for (const text of ["lowest", "newer wider low.", " we ", "l"]) {
      expect(tokens.encode(text).map((id) => tokens.vocabulary[id]).join("")).toBe(text); // prettier-ignore
    }
    expect(tokens.encode("").length).toBe(0);
    expect(() => tokens.encode("lazy")).toThrow('the text had no "a"');
    expect(() => tasks.bpe(book, { size: 4 })).toThrow("do not fit into 4 tokens");
  });

  it("ends where nothing is left to join", () => {
    const { merges, vocabulary } = tasks.bpe("ab ab ab", { size: 100 });
    expect(merges.map((pair) => pair.join("+"))).toEqual(["a+b", " +ab"]);
    expect(vocabulary).toEqual([" ", "a", "b", "ab", " ab"]);
  });

  it("a model reads text by the same tokens, also after it was saved and loaded", async () => {
    const tokens = tasks.bpe(book, { size: 24 });
    const model = await transformer({ layers: 1, heads: 1, width: 4, length: 32, vocabulary: tokens });
    await save(model, join(folder, "model"));
    const again = await load(join(folder, "model"));
    for (const text of ["lowest", "newer wider low.", "low low."]) {
      const labels = tokens.encode(text).map((id) => tokens.vocabulary[id].replace(/^ /, "␣"));
      expect((await model.run(text)).tokens[0]).toEqual(labels);
      expect((await again.run(text)).tokens[0]).toEqual(labels);
    }
  });
});

it("text: rows may repeat their first half, in the share that was asked for", () => {
  const source = Array.from({ length: 400 }, (_, i) => String.fromCharCode(97 + ((i * i) % 23))).join("");
  const task = tasks.text(source, { length: 16, repeated: 0.5 });
  const rows = Array.from({ length: 200 }, (_, i) => task.row(i));
  const isRepeated = ({ ids }: { readonly ids: readonly number[] }): boolean =>
    ids.slice(0, 8).every((id, t) => id === ids[8 + t]);
  const share = rows.filter(isRepeated).length / rows.length;
  expect(share).toBeGreaterThan(0.35);
  expect(share).toBeLessThan(0.65);
  for (const { ids, targets } of rows) expect(targets.slice(0, -1)).toEqual(ids.slice(1));
  expect(() => tasks.text(source, { repeated: 2 })).toThrow("repeated must be a number in 0 … 1, got 2");
});
