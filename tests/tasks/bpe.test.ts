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

it("text: passages of any period, of text or of random tokens, after a first token", () => {
  const source = Array.from({ length: 900 }, (_, i) => String.fromCharCode(97 + ((i * i * i) % 25))).join("");
  const tokens = tasks.bpe(source, { size: 26, special: ["<s>"] });
  const task = tasks.text(source, {
    ...{ length: 24, tokens, first: "<s>", repeated: 0.8 },
    ...{ period: [3, 8], scrambled: 0.5 },
  });
  expect([task.first, task.parts]).toEqual(["<s>", ["new", "again"]]);
  const ids = tokens.encode(source);
  const periods = new Set<number>();
  let scrambled = 0;
  for (let i = 0; i < 300; i++) {
    const row = task.row(i);
    expect([row.ids[0], row.ids.length, row.targets.length]).toEqual([0, 24, 24]);
    row.targets.forEach((target, t) => {
      expect(row.kinds![t] === -1).toBe(target === -1);
      if (target >= 0 && t < 23) expect(target).toBe(row.ids[t + 1]);
    });
    const from = row.kinds!.indexOf(1);
    if (from < 0) continue;
    periods.add(from);
    for (let t = from; t < 24; t++) expect([row.kinds![t], row.targets[t]]).toEqual([1, row.ids[t - from + 1]]);
    const passage = row.ids.slice(1, from + 1);
    const isText = ids.some((_, at) => passage.every((id, t) => id === ids[at + t]));
    if (row.targets[0] === -1) scrambled++;
    else expect(isText).toBe(true);
  }
  expect([...periods].sort()).toEqual([3, 4, 5, 6, 7, 8]);
  expect(scrambled).toBeGreaterThan(80);
  expect(scrambled).toBeLessThan(160);
  expect(() => tasks.text(source, { period: [4, 70] })).toThrow("period must be two whole numbers in 1 … 64");
  expect(() => tasks.text(source, { first: "<t>" })).toThrow('unknown first "<t>"');
  expect(() => tasks.text(source, { scrambled: 2 })).toThrow("scrambled must be a number in 0 … 1, got 2");
});
