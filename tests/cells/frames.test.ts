import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFrameMapper } from "../../kernel/host/jupyter/cells/frames.js";
import { decodeMappings, encodeMappings } from "../../kernel/host/jupyter/cells/sourceMap.js";
import { nodes, openSession, type Session } from "./session.js";

describe.each(nodes)("tracebacks on $label", ({ path }) => {
  let session: Session;
  beforeAll(async () => void (session = await openSession(path)));
  afterAll(() => session.close());

  it("gives line and column of the source, across cells, behind types, imports and guards", async () => {
    await session.value(
      "import { sep } from 'node:path';\ninterface Long {\n  a: number;\n}\nfunction f(n: Long): number {\n  for (const x of [1]) { if (x) throw new TypeError('here'); }\n  return n.a;\n}",
    );
    const { ename, evalue, trace } = await session.error("const v: number = 1;\n[1].map(() => f({ a: v }))");
    expect([ename, evalue]).toEqual(["TypeError", "here"]);
    expect(trace.split("\n")).toEqual([
      "TypeError: here",
      "    at f (cell[1].ts:6:39)",
      "    at cell[2].ts:2:15",
      "    at Array.map (<anonymous>)",
      "    at cell[2].ts:2:5",
      "",
      "  5 | function f(n: Long): number {",
      "> 6 |   for (const x of [1]) { if (x) throw new TypeError('here'); }",
      "    |                                       ^",
    ]);
  });

  it("shows asynchronous frames and none of the machinery", async () => {
    const { trace } = await session.error(
      "async function slow() {\n  await null;\n  missing.x;\n}\nasync function outer() { await slow() }\nawait outer();",
    );
    expect(trace.split("\n").slice(0, 4)).toEqual([
      "ReferenceError: missing is not defined",
      expect.stringMatching(/^ {4}at slow \(cell\[\d+\]\.ts:3:3\)$/),
      expect.stringMatching(/^ {4}at async outer \(cell\[\d+\]\.ts:5:26\)$/),
      expect.stringMatching(/^ {4}at async cell\[\d+\]\.ts:6:1$/),
    ]);
    expect((await session.error("import 'no-such-thing'")).trace).not.toMatch(/node:|runtime|importer|resolve/);
  });

  it("shows causes, the errors of an AggregateError, and cycles once", async () => {
    const { trace } = await session.error(
      "throw new Error('outer', { cause: new RangeError('inner', { cause: 'text' }) })",
    );
    expect(trace).toMatch(/^Error: outer\n[^]*caused by: RangeError: inner\n[^]*caused by: Thrown: text/);
    const aggregate = await session.error("await Promise.any([Promise.reject(new TypeError('a')), Promise.reject(7)])");
    expect(aggregate.ename).toBe("AggregateError");
    expect(aggregate.trace).toMatch(/error 0: TypeError: a\n[^]*error 1: Thrown: 7/);
    expect((await session.error("const e: any = new Error('self'); e.cause = e; throw e")).trace).toContain(
      "caused by: (circular)",
    );
  });

  it.each([
    ["throw 'text'", "Thrown", "text"],
    ["throw { code: 3 }", "Thrown", "{ code: 3 }"],
    ["throw undefined", "Thrown", "undefined"],
    ["throw null", "Thrown", "null"],
    ["class MyError extends Error {} throw new MyError('own')", "MyError", "own"],
    ["throw Object.assign(new Error('named'), { name: 'Given' })", "Given", "named"],
  ])("takes any thrown value: %s", async (cell, ename, evalue) => {
    expect(await session.error(cell)).toMatchObject({ ename, evalue });
    expect(await session.value("1")).toBe("1");
  });

  it("leaves out what the compiler adds", async () => {
    const { trace } = await session.error(
      "const bad = (v: any, c: any) => { throw new Error('dec') };\n@bad\nclass D {}",
    );
    expect(trace.split("\n").slice(0, 4)).toEqual([
      "Error: dec",
      expect.stringMatching(/at bad \(cell\[\d+\]\.ts:1:41\)$/),
      expect.stringMatching(/cell\[\d+\]\.ts:[23]:\d+/),
      expect.stringMatching(/cell\[\d+\]\.ts:[23]:\d+/),
    ]);
    expect(trace).not.toContain("__esDecorate");
  });

  it("places syntax errors, those of the parser and those of the engine", async () => {
    expect((await session.error("let ok = 1;\nlet = = 2;")).trace).toMatch(
      /^SyntaxError: .*\n {4}at cell\[\d+\]\.ts:2:7\n/,
    );
    expect((await session.error("type T = 1;\nlet dup = 1;\nlet dup = 2;")).trace).toMatch(
      /already been declared\n {4}at cell\[\d+\]\.ts:3:5\n/,
    );
    expect((await session.error("{ a: 1, b: missingName }")).trace).toMatch(/cell\[\d+\]\.ts:1:12/);
  });
});

describe("source maps", () => {
  it("decodes what it encodes", () => {
    const lines = [
      [
        { generatedColumn: 0, line: 0, column: 0 },
        { generatedColumn: 17, line: 5, column: 40 },
      ],
      [],
      [{ generatedColumn: 3, line: 2, column: 1000 }],
    ];
    expect(decodeMappings(encodeMappings(lines))).toEqual(lines);
    expect(decodeMappings("AAAA,gBAAgB")).toEqual([
      [
        { generatedColumn: 0, line: 0, column: 0 },
        { generatedColumn: 16, line: 0, column: 16 },
      ],
    ]);
    expect(() => decodeMappings("A?")).toThrow("unknown digit");
  });

  it("survives values that throw when they are looked at", () => {
    const refuse = (): never => {
      throw new Error("no");
    };
    const hostile = new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
    expect(createFrameMapper().error(hostile)).toMatchObject({
      ename: "Thrown",
      evalue: "a value that cannot be shown",
    });
  });

  it("folds the library's own frames away, unless no frame of the caller is left", () => {
    const own = new URL("../../kernel/host/session.ts", import.meta.url).href;
    const trace = (...frames: readonly string[]): readonly string[] => {
      const error = new Error("m");
      error.stack = ["Error: m", ...frames.map((frame) => `    at ${frame}`)].join("\n");
      const { traceback } = createFrameMapper().error(error);
      return traceback.map((line) => line.replaceAll("\u001b[36m", "").replaceAll("\u001b[39m", ""));
    };
    const dependency = "file:///x/node_modules/onnxruntime-node/index.js";
    expect(trace(`compile (${own}:7:1)`, `f (cell[2].ts:1:2)`, `async ${own}:9:3`).slice(1)).toEqual([
      "    at f (cell[2].ts:1:2)",
    ]);
    expect(trace(`run (${dependency}:1:1)`, `compile (${own}:7:1)`, "async /home/me/study.ts:3:4").slice(1)).toEqual([
      "    at run (/x/node_modules/onnxruntime-node/index.js:1:1)",
      "    at async /home/me/study.ts:3:4",
    ]);
    expect(trace(`run (${dependency}:1:1)`, `compile (${own}:7:1)`).at(-1)).toMatch(
      /at compile \(.*session\.ts:7:1\)$/,
    );
  });

  it("leaves frames of unknown scripts as they are", () => {
    const error = new Error("m");
    error.stack =
      "Error: m\n  with a second line\n    at g (/a folder/with (brackets)/x.js:1:2)\n    at node:internal/x:1:1\n    at eval (eval at h (cell[1].ts:1:1), <anonymous>:1:5)";
    expect(createFrameMapper().error(error).traceback.join("\n")).toContain(
      "at g (\u001b[36m/a folder/with (brackets)/x.js:1:2\u001b[39m)",
    );
    expect(createFrameMapper().error(error).traceback.join("\n")).not.toContain("node:internal");
  });
});
