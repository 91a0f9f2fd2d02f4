import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bestTime, quantile, timed } from "../budget.js";
import { codePointsBefore, offsetOf } from "../../kernel/host/jupyter/language/codePoints.js";
import type * as client from "../../kernel/host/jupyter/language/client.js";
import type { Language } from "../../kernel/host/jupyter/language/client.js";

let folder: string;
let language: Language;

/** The code, and the code points before the bar in it. */
function atBar(marked: string): { readonly code: string; readonly cursor: number } {
  return { code: marked.replace("|", ""), cursor: [...marked.slice(0, marked.indexOf("|"))].length };
}
const complete = (marked: string): ReturnType<Language["complete"]> => {
  const { code, cursor } = atBar(marked);
  return language.complete(code, cursor);
};
const inspect = (marked: string, detail: 0 | 1 = 0): ReturnType<Language["inspect"]> => {
  const { code, cursor } = atBar(marked);
  return language.inspect(code, cursor, detail);
};
const codes = async (code: string): Promise<readonly number[]> =>
  (await language.diagnostics(code)).map((found) => found.code);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "language-"));
  writeFileSync(
    join(folder, "helper.ts"),
    "/** Twice the number. */\nexport function twice(n: number): number { return 2 * n }\n",
  );
  mkdirSync(join(folder, "node_modules/typed"), { recursive: true });
  writeFileSync(
    join(folder, "node_modules/typed/package.json"),
    JSON.stringify({ name: "typed", type: "module", exports: { ".": { types: "./x.d.ts", default: "./x.js" } } }),
  );
  writeFileSync(join(folder, "node_modules/typed/x.d.ts"), "export declare const typed: { readonly depth: 3 };");
  mkdirSync(join(folder, "node_modules/untyped"));
  writeFileSync(join(folder, "node_modules/untyped/package.json"), '{ "name": "untyped", "main": "index.js" }');
  writeFileSync(join(folder, "node_modules/untyped/index.js"), "module.exports = 1");
  // Built: the client starts its worker from the file beside it.
  const built = "../../kernel/lib/host/jupyter/language/client.js";
  const { startLanguage } = (await import(built)) as typeof client;
  language = startLanguage({ folder });
});
afterAll(async () => {
  await language.close();
  rmSync(folder, { recursive: true });
});

describe("completion", () => {
  it("offers members, replaces what is typed, and says the kinds", async () => {
    language.update([]);
    const { matches, cursorStart, cursorEnd, metadata } = await complete("Math.flo|");
    expect(matches).toEqual(["floor"]);
    expect([cursorStart, cursorEnd]).toEqual([5, 8]);
    expect(metadata).toEqual({ _jupyter_types_experimental: [{ text: "floor", type: "method", start: 5, end: 8 }] });
  });

  it("counts code points, not UTF-16 units", async () => {
    const { matches, cursorStart, cursorEnd } = await complete("const s = '🎉🎉'; s.toUpperC|");
    expect(matches).toEqual(["toUpperCase"]);
    expect([cursorStart, cursorEnd]).toEqual([18, 26]);
  });

  it("knows the names of all earlier cells, as they were last declared", async () => {
    language.update([
      "let shared = { first: 1 }; import { twice } from './helper';",
      "const shared = { second: 'two' }; interface Later { l: 1 }",
    ]);
    expect((await complete("shared.|")).matches).toEqual(["second"]);
    expect((await complete("share|")).matches[0]).toBe("shared");
    expect((await complete("twic|")).matches).toEqual(["twice"]);
    expect((await complete("let v: Late|")).matches).toContain("Later");
    expect((await complete("let shared = [1]; shared.toSort|")).matches).toEqual(["toSorted"]);
  });

  it("works in unfinished code", async () => {
    language.update(["const data = [{ weight: 1 }];"]);
    expect((await complete("for (const d of data) {\n  d.wei|")).matches).toEqual(["weight"]);
    expect((await complete("f(data.map((d) => d.|")).matches).toEqual(["weight"]);
  });

  it("finds types in packages that have only exports, and in Node", async () => {
    expect((await complete("import { typed } from 'typed'; typed.|")).matches).toEqual(["depth"]);
    expect((await complete("import { readFileSy| } from 'node:fs'")).matches).toEqual(["readFileSync"]);
    expect((await complete("process.versio|")).matches).toEqual(["version", "versions"]);
  });

  it("knows the library, wherever the notebook lies", async () => {
    expect((await complete("import { headGridMi| } from 'attention-lab/views'")).matches).toEqual(["headGridMime"]);
    expect(await codes("import * as views from 'attention-lab/views'")).toEqual([]);
  });

  it("answers nothing, not an error, where there is nothing", async () => {
    expect((await complete("// in a comment |")).matches).toEqual([]);
    expect((await complete("zzqqxx|")).matches).toEqual([]);
  });
});

describe("inspection", () => {
  it("shows the signature and the documentation, as markdown and as text", async () => {
    const { found, data } = await inspect("import { twice } from './helper';\ntwi|ce(2)");
    expect(found).toBe(true);
    expect(data["text/plain"]).toMatch(/^(?:function )?twice\(n: number\): number\n\n/);
    expect(data["text/plain"]).toContain("Twice the number.");
    expect(data["text/markdown"]).toMatch(/^```ts\n[^]*twice[^]*\n```\n\nTwice the number\.$/);
  });

  it("adds the declaration at detail 1", async () => {
    expect((await inspect("import { twice } from './helper';\ntwice|(2)", 1)).data["text/plain"]).toContain(
      "{ return 2 * n }",
    );
  });

  it("sees earlier cells, takes the name before the cursor, and the call around it", async () => {
    language.update(["const seen = new Map<string, number>();"]);
    expect((await inspect("'😀'; seen|")).data["text/plain"]).toContain("Map<string, number>");
    expect((await inspect("seen.set( | )")).data["text/plain"]).toContain("key: string, value: number");
  });

  it("does not know what nobody declared", async () => {
    expect(await inspect("nobody|")).toEqual({ found: false, data: {} });
    expect(await inspect("|")).toEqual({ found: false, data: {} });
  });
});

describe("diagnostics", () => {
  it("places errors by line and column", async () => {
    language.update(["let n: number = 1;"]);
    expect(await language.diagnostics("\nconst s: string = n;\n")).toEqual([
      {
        line: 2,
        column: 7,
        length: 1,
        message: "Type 'number' is not assignable to type 'string'.",
        code: 2322,
        severity: "error",
      },
    ]);
    expect(await codes("undeclared")).toEqual([2304]);
    expect(await language.diagnostics("({ a: 1, b: undeclared })")).toMatchObject([{ line: 1, column: 13 }]);
    expect(await language.diagnostics("{ a: 1, b: undeclared }")).toMatchObject([{ line: 1, column: 12 }]);
  });

  it.each([
    ["redeclaring what earlier cells declare", "const n = 'text'; class C {} function g() {} n.length"],
    ["assigning to names of earlier cells", "n = 5; n += 1; n++; ({ n } = { n: 3 }); [n] = [4];"],
    ["top-level await in every form", "await (await fetch('x')).json(); for await (const x of [1]) x; await [9];"],
    ["an object literal alone", "{ a: 1, b: n }"],
    ["unused names, statements without effect", "const unused = 1; import { sep } from 'node:path'; n; 5;"],
    [
      "imports without extension, JSON without attribute",
      "import { twice } from './helper'; import p from './node_modules/typed/package.json'; twice(p.name.length)",
    ],
    [
      "using, decorators, private members, enums",
      "function dec(v: unknown, c: DecoratorContext) {} class P { #x = 1; @dec m() { return this.#x } } enum E { A } { using r = { [Symbol.dispose]() {} }; } await new P().m() + E.A",
    ],
    ["export forms", "export const e1 = 1; export default function named() {} export { e1 as other }; named()"],
    ["var in loops", "for (var v1 = 0; v1 < 2; v1++); v1.toFixed()"],
    ["unreachable code and labels", "a: for (;;) { break a }"],
    [
      "the newest library",
      "Object.groupBy([1], String); new Set([1]).union(new Set([2])); Promise.withResolvers<number>().resolve(1)",
    ],
  ])("finds nothing wrong with %s", async (_name, code) => {
    language.update([
      "let n: number = 1; class C { c = 1 } function g() { return 1 } interface I { i: number }",
      "let v1 = 'x'; const x1 = 1;",
    ]);
    expect(await language.diagnostics(code)).toEqual([]);
  });

  it("lets later cells use what those cells declare", async () => {
    language.update([
      "export const e1 = 1; for (var loop = 0; loop < 2; loop++); export default function named() { return 1 }",
      "enum E { A } namespace S { export const q = 1 }",
    ]);
    expect(await codes("e1 + loop + named() + E.A + S.q")).toEqual([]);
  });

  it("keeps constants constant, over cells too", async () => {
    language.update(["const fixed = 1;"]);
    expect(await language.diagnostics("fixed = 2")).toMatchObject([
      { code: 2588, message: "Cannot assign to 'fixed' because it is a constant." },
    ]);
    expect(await codes("const here = 1; here = 2")).toEqual([2588]);
  });

  it("only warns of a package without types", async () => {
    expect(await language.diagnostics("import u from 'untyped'")).toMatchObject([{ code: 7016, severity: "warning" }]);
    expect(await codes("import u from 'not-there'")).toEqual([2307]);
  });
});

it("answers in time: the first question, then with a hundred cells", async () => {
  language.update(
    Array.from(
      { length: 100 },
      (_, index) => `const row${index} = { value: ${index}, next: ${index ? `row${index - 1}` : "null"} };`,
    ),
  );
  const ask = (text: string): Promise<number> =>
    timed(async () => expect((await complete(`/* ${text} */ row99.next.va|`)).matches).toEqual(["value"]));
  const first = await ask("first");
  const round = async (turn: number): Promise<number> => {
    const times: number[] = [];
    for (let n = 0; n < 11; n++) times.push(await ask(`${turn} ${n}`));
    return quantile(times, 0.5);
  };
  const median = await bestTime(300, round);
  console.log(`completion with 100 cells: first ${first.toFixed(0)} ms, then ${median.toFixed(0)} ms (median)`);
  expect(median).toBeLessThan(300);
});

describe("code points", () => {
  it("converts both ways", () => {
    const text = "a🎉b🎉";
    expect([0, 1, 2, 3, 4, 9].map((count) => offsetOf(text, count))).toEqual([0, 1, 3, 4, 6, 6]);
    expect([0, 1, 2, 3, 4, 6].map((offset) => codePointsBefore(text, offset))).toEqual([0, 1, 1, 2, 3, 4]);
  });
});
