import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { kinds, represent } from "../../kernel/host/jupyter/representations/index.js";
import { mimeBundle } from "../../kernel/host/jupyter/mimeBundle.js";

const bundleOf = (value: unknown): Readonly<Record<string, unknown>> =>
  mimeBundle(value) as Readonly<Record<string, unknown>>;
const htmlOf = (value: unknown): string => String(bundleOf(value)["text/html"]);
const textOf = (value: unknown): string => String(bundleOf(value)["text/plain"]);
/** Cells of all tables, row by row. */
const tableOf = (html: string): string[][] =>
  [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
    [...(row ?? "").matchAll(/<t[dh][^>]*>(.*?)<\/t[dh]>/g)].map(([, cell]) => cell ?? ""),
  );

describe("what fits a line of text stays text alone", () => {
  test.each([
    ["a string", "it's", `"it's"`],
    ["a number", 42, "42"],
    ["a small array", [1, 2, 3], "[ 1, 2, 3 ]"],
    ["a small typed array", new Float32Array([1, 2]), "Float32Array(2) [ 1, 2 ]"],
    ["a small object", { a: 1, b: { c: 2 } }, "{ a: 1, b: { c: 2 } }"],
    ["a function", Math.max, "[Function: max]"],
    ["nothing", null, "null"],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["an empty array", [], "[]"],
  ])("%s", (_, value, text) => expect(bundleOf(value)).toEqual({ "text/plain": text }));
});

describe("records", () => {
  test("plain objects with the same keys are a table, as HTML and as aligned text", () => {
    const value = [
      { head: "0.1", mass: 0.123456789, count: 7 },
      { head: "10.11", mass: 1e-9, count: 12345 },
    ];
    expect(tableOf(htmlOf(value))).toEqual([
      ["", "head", "mass", "count"],
      ["0", "0.1", "0.123457", "7"],
      ["1", "10.11", "1e-9", "12345"],
    ]);
    expect(textOf(value).split("\n")).toEqual([
      "   head       mass  count",
      "0  0.1    0.123457      7",
      "1  10.11      1e-9  12345",
    ]);
  });

  test("long tables keep their first and last rows, with their own numbers, and say how many there are", () => {
    const value = Array.from({ length: 1000 }, (_, n) => ({ n }));
    const rows = tableOf(htmlOf(value));
    expect(rows).toHaveLength(27);
    expect(rows.at(20)).toEqual(["19", "19"]);
    expect(rows.at(21)).toEqual(["…", "…"]);
    expect(rows.at(-1)).toEqual(["999", "999"]);
    expect(textOf(value)).toContain("1000 rows × 1 columns");
  });

  test("different keys, getters, class instances and proxies are no table", () => {
    let ran = 0;
    class Point {
      readonly x = 1;
    }
    const lazy = {
      get x(): number {
        return ++ran;
      },
    };
    for (const value of [
      [{ a: 1 }, { b: 1 }],
      [{ a: 1 }, { a: 1, b: 2 }],
      [lazy],
      [new Point()],
      [new Proxy({}, {})],
    ]) {
      expect(kinds["records"]?.represent(value, inspect)).toBeUndefined();
    }
    expect(ran).toBe(0);
  });

  test("markup in keys and cells is escaped", () => {
    const html = htmlOf([{ "<b>": "<script>alert('x')</script>" }]);
    expect(html).not.toMatch(/<script|<b>/);
    expect(html).toContain("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
  });
});

describe("numbers", () => {
  test("a long array gives its shape, range and ends", () => {
    const value = Float32Array.from({ length: 1000 }, (_, n) => n);
    const [facts, found, at, ends] = tableOf(htmlOf(value));
    expect(facts).toEqual(["shape", "dtype", "min", "mean", "max"]);
    expect(found).toEqual(["[1000]", "float32", "0", "499.5", "999"]);
    expect(at).toEqual(["0", "1", "2", "3", "…", "996", "997", "998", "999"]);
    expect(ends).toEqual(["0", "1", "2", "3", "…", "996", "997", "998", "999"]);
    expect(textOf(value)).toBe("float32[1000]  min 0  mean 499.5  max 999\n[0, 1, 2, 3, …, 996, 997, 998, 999]");
  });

  test("an array of equally long arrays is a matrix; NaN is counted apart", () => {
    const value = Array.from({ length: 12 }, (_, row) => Array.from({ length: 12 }, (_, column) => row * column));
    value[3][5] = NaN;
    const rows = tableOf(htmlOf(value));
    expect(rows[1]).toEqual(["[12, 12]", "number", "0", "30.357", "121", "1"]);
    expect(rows[2]).toEqual(["", "0", "1", "2", "3", "…", "8", "9", "10", "11"]);
    expect(rows.map(([first]) => first).slice(3)).toEqual(["0", "1", "2", "3", "…", "8", "9", "10", "11"]);
    expect(rows.at(-1)?.at(-1)).toBe("121");
  });

  test("ragged and mixed arrays are no numbers; big integers and all NaN are", () => {
    expect(kinds["numbers"]?.represent([[1, 2], [3]], inspect)).toBeUndefined();
    expect(kinds["numbers"]?.represent([1, 2, 3, 4, 5, 6, 7, 8, "9"], inspect)).toBeUndefined();
    const big = tableOf(htmlOf(BigInt64Array.from({ length: 9 }, (_, n) => 2n ** 60n + BigInt(n))));
    expect(big.at(-1)?.[1]).toBe("1152921504606846977");
    expect(tableOf(htmlOf(new Array(9).fill(NaN)))[1]).toEqual(["[9]", "number", "NaN", "NaN", "NaN", "9"]);
  });

  test("ten million numbers take less than a second", () => {
    const value = new Float32Array(10_000_000);
    const began = performance.now();
    bundleOf(value);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe("trees", () => {
  const large = {
    name: "x".repeat(90),
    nested: { list: [{ deep: new Map([["k", new Set([1, "two"])]]) }, 2], other: "y" },
  };

  test("unfold level by level, the first one open", () => {
    const html = htmlOf(large);
    expect(html.match(/<details/g)).toHaveLength(5);
    expect(html.match(/<details open>/g)).toHaveLength(1);
    expect(html).toContain("<b>&#39;k&#39;</b>: Set(2) { 1, &#39;two&#39; }");
    expect(textOf(large)).toContain("nested: {");
  });

  test("run no getter, touch no proxy, end at cycles, show markup as text", () => {
    let ran = 0;
    const value: Record<string, unknown> = {
      markup: `<img src=x onerror="alert(1)">`.repeat(4),
      get lazy(): number {
        return ++ran;
      },
      proxy: new Proxy({}, { get: () => ++ran, ownKeys: () => (ran++, []), has: () => ++ran > 0 }),
    };
    value["self"] = value;
    const html = htmlOf(value);
    expect(ran).toBe(0);
    expect(html).toContain("[getter]");
    expect(html).toContain("[circular]");
    expect(html).not.toContain("<img");
  });

  test("stay small however large the value", () => {
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`key${n}`, { n, text: "z".repeat(1000) }]));
    const html = htmlOf(wide);
    expect(html).toContain("… 4950 more");
    expect(html.length).toBeLessThan(100_000);
    const grow = (depth: number): unknown => (depth === 0 ? 1 : Array.from({ length: 10 }, () => grow(depth - 1)));
    expect(htmlOf({ grown: grow(5) }).length).toBeLessThan(200_000);
  });

  test("leave values that describe themselves to their text", () => {
    expect(bundleOf(new URL("http://localhost/" + "path/".repeat(40)))).not.toHaveProperty("text/html");
  });
});

test("errors fold their stack, without the machinery's frames", () => {
  const error = new Error("no <head> 12", { cause: new TypeError("the cause") });
  error.stack = `Error: no <head> 12\n    at f (cell[1].ts:1:2)\n    at Runtime (node:inspector:10:1)`;
  const html = htmlOf(error);
  expect(html).toContain("<summary><b");
  expect(html).toContain("Error: no &lt;head&gt; 12");
  expect(html).toContain("the cause");
  expect(textOf(error)).toContain("at f (cell[1].ts:1:2)");
  expect(textOf(error)).not.toContain("node:inspector");
});

test.each([
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1]],
  ["image/jpeg", [0xff, 0xd8, 0xff, 0xe0]],
  ["image/gif", [...Buffer.from("GIF89a")]],
  ["image/webp", [...Buffer.from("RIFF1234WEBP")]],
])("bytes of %s are a picture", (mime, bytes) => {
  const data = Buffer.from(bytes);
  expect(bundleOf(data)).toEqual({ [mime]: data.toString("base64"), "text/plain": `${mime}, ${bytes.length} bytes` });
  expect(bundleOf(Uint8Array.from(bytes.slice(0, 2)))).not.toHaveProperty(mime);
});

test("methods that give HTML are used, others' results are not", () => {
  class Table {
    readonly _repr_html_ = (): number => 5;
    toHTML(): string {
      return "<table></table>";
    }
  }
  expect(htmlOf(new Table())).toBe("<table></table>");
  const failing = {
    toHTML(): string {
      throw new Error("broken");
    },
  };
  expect(() => represent(failing, inspect)).toThrow("broken");
});

test("the HTML passes a sanitiser: no style blocks, scripts or handlers", () => {
  const values = [[{ a: 1 }], new Float64Array(20), { a: { b: "c".repeat(120) } }, new Error("x")];
  for (const value of values) {
    expect(htmlOf(value)).toMatch(/^<(table|div|details)/);
    expect(htmlOf(value)).not.toMatch(/<(style|script)|\son\w+=|javascript:/);
  }
});
