import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeGate } from "./gate.js";
import { nodes, startKernel } from "./client.js";

describe.each(nodes)("execution on %s", (node) => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel({ node });
  });
  afterAll(() => kernel.stop());

  test("a value comes back as execute_result, between busy, execute_input and idle", async () => {
    const { status, result, outputs, reply } = await kernel.client.execute("1 + 1");
    expect(status).toBe("ok");
    expect(result).toBe("2");
    expect(outputs.map(({ type }) => type)).toEqual(["status", "execute_input", "execute_result", "status"]);
    expect(reply.content).toMatchObject({ payload: [], user_expressions: {} });
    expect(outputs[1]?.content).toMatchObject({ code: "1 + 1", execution_count: reply.content["execution_count"] });
  });

  test("TypeScript runs, names live on in later cells, await works at the top", async () => {
    await kernel.client.execute("let x: number = 1; function rd(): number { return x }");
    expect((await kernel.client.execute("x = 5; rd()")).result).toBe("5");
    expect((await kernel.client.execute("const y = await Promise.resolve(7); y")).result).toBe("7");
    expect((await kernel.client.execute("const y = 8; y")).result).toBe("8");
  });

  test("a cell that ends in a statement shows nothing; null is shown", async () => {
    expect((await kernel.client.execute("const quiet = 3;")).all("execute_result")).toEqual([]);
    expect((await kernel.client.execute("null")).result).toBe("null");
  });

  test.each([
    ["1n << 70n", "1180591620717411303424n"],
    ["NaN", "NaN"],
    ["-0", "-0"],
    ["'text'", "'text'"],
    ["Symbol('s')", "Symbol(s)"],
    ["new Map([[1, 2]])", "Map(1) { 1 => 2 }"],
    ["({ a: 1 })", "{ a: 1 }"],
  ])("the value of %s arrives as it is", async (code, text) => {
    expect((await kernel.client.execute(code)).result).toBe(text);
  });

  test("console and process streams arrive, each under its name and in order", async () => {
    const cell = await kernel.client.execute(
      'console.log("a"); console.warn("w"); console.info("b"); console.error("e"); process.stdout.write("c"); process.stderr.write(Buffer.from("é"))',
    );
    expect(cell.text("stdout")).toBe("a\nb\nc");
    expect(cell.text("stderr")).toBe("w\ne\né");
    const order = cell.all("stream").map(({ content }) => content["name"]);
    expect(order).toEqual(["stdout", "stderr", "stdout", "stderr", "stdout", "stderr"]);
  });

  test("a thrown error gives one error message and an error reply, lines from the TypeScript source", async () => {
    const cell = await kernel.client.execute(
      "interface A { a: number }\nfunction f(a: A) {\n  throw new RangeError(`bad ${a.a}`);\n}\nf({ a: 1 });",
    );
    expect(cell.status).toBe("error");
    expect(cell.all("error")).toHaveLength(1);
    expect(cell.reply.content).toMatchObject({ ename: "RangeError", evalue: "bad 1" });
    const traceback = stripVTControlCharacters((cell.reply.content["traceback"] as string[]).join("\n"));
    const name = `cell[${String(cell.reply.content["execution_count"])}].ts`;
    expect(traceback).toContain(`f (${name}:3:9)`);
    expect(traceback).toContain(`${name}:5:1`);
    expect(traceback).not.toMatch(/node:internal|evaluator|executor|file:/);
  });

  test("what the engine refuses before it runs is placed in the cell", async () => {
    const { reply } = await kernel.client.execute("type T = 1;\nlet twice = 1;\nlet twice = 2;");
    const name = `cell[${String(reply.content["execution_count"])}].ts`;
    const traceback = stripVTControlCharacters((reply.content["traceback"] as string[]).join("\n"));
    expect(traceback).toMatch(/^SyntaxError: .*already been declared/);
    expect(traceback).toContain(`at ${name}:3:5\n`);
    expect(traceback).toContain("> 3 | let twice = 2;");
  });

  test("an error of the library ends in the cell, without the library's own frames", async () => {
    const { reply } = await kernel.client.execute(
      "import { load } from 'attention-lab';\nasync function open() { return await load('no-such-model') }\nawait open();",
    );
    const traceback = stripVTControlCharacters((reply.content["traceback"] as string[]).join("\n"));
    expect(traceback).toMatch(/no-such-model/);
    expect(traceback).toMatch(/at async open \(cell\[\d+\]\.ts:2:\d+\)\n/);
    expect(traceback).not.toMatch(/^ {4}at .*(?:kernel|attention-lab)[\\/]lib/m);
  });

  test.each([
    "throw 1",
    "throw null",
    "throw { message: 'm' }",
    "await Promise.reject(new Error('x'))",
    "1 +",
    "let a; let a;",
    "throw Object.defineProperty(new Error(), 'stack', { get() { throw new Error('from stack') } })",
    "throw Object.defineProperty(new Error(), 'message', { get() { throw null } })",
    "throw new Proxy(new Error('x'), { get() { throw 1 }, getPrototypeOf() { throw 2 } })",
  ])("the kernel survives %s", async (code) => {
    const cell = await kernel.client.execute(code);
    expect(cell.status).toBe("error");
    expect(cell.all("error")).toHaveLength(1);
    expect((await kernel.client.execute("'alive'")).result).toBe("'alive'");
  });

  test("errors that nobody awaits are told on stderr and the kernel lives", async () => {
    const cell = await kernel.client.execute(
      "Promise.reject(new Error('lost promise')); setTimeout(() => { throw new Error('lost timer') }, 1); await new Promise((r) => setTimeout(r, 50))",
    );
    expect(cell.status).toBe("ok");
    expect(cell.text("stderr")).toContain("lost promise");
    expect(cell.text("stderr")).toContain("lost timer");
  });

  test("silent runs without execute_input, result and count; store_history false keeps the count", async () => {
    const before = (await kernel.client.execute("0")).reply.content["execution_count"];
    const silent = await kernel.client.execute("console.log('s'); 5", { silent: true });
    expect(silent.outputs.map(({ type }) => type)).toEqual(["status", "stream", "status"]);
    const unstored = await kernel.client.execute("6", { store_history: false });
    expect(unstored.result).toBe("6");
    expect(unstored.reply.content["execution_count"]).toBe(before);
    expect((await kernel.client.execute("0")).reply.content["execution_count"]).toBe(Number(before) + 1);
  });

  test("user_expressions are evaluated after the cell, each with its own fate", async () => {
    const cell = await kernel.client.execute("const u = 20", {
      user_expressions: { good: "u + 1", bad: "nowhere", lost: "f(" },
    });
    const found = cell.reply.content["user_expressions"] as Record<string, unknown>;
    expect(found["good"]).toEqual({ status: "ok", data: { "text/plain": "21" }, metadata: {} });
    expect(found["bad"]).toMatchObject({ status: "error", ename: "ReferenceError" });
    expect(found["lost"]).toMatchObject({ status: "error", ename: "SyntaxError" });
  });

  test("after an error, queued requests are aborted where stop_on_error holds, and run where it does not", async () => {
    const letGo = await makeGate(kernel.client);
    const failing = await kernel.client.start("await gate; throw new Error('stop')");
    const queued = [await kernel.client.start("1"), await kernel.client.start("2")];
    await letGo();
    expect((await kernel.client.reply(failing)).content["status"]).toBe("error");
    for (const id of queued) expect((await kernel.client.reply(id)).content["status"]).toBe("aborted");
    const tolerant = await kernel.client.start("throw new Error('go on')", { stop_on_error: false });
    const next = await kernel.client.start("3");
    expect((await kernel.client.reply(tolerant)).content["status"]).toBe("error");
    expect((await kernel.client.reply(next)).content["status"]).toBe("ok");
  });

  test("a request sent after the failed reply is never aborted", async () => {
    for (let i = 0; i < 10; i++) {
      await kernel.client.reply(await kernel.client.start("throw 1"));
      expect((await kernel.client.reply(await kernel.client.start("1"))).content["status"]).toBe("ok");
    }
  });

  test("a cell can import the library, Node's modules and use require", async () => {
    expect((await kernel.client.execute("import { basename } from 'node:path'; basename('/a/b')")).result).toBe("'b'");
    expect((await kernel.client.execute("require('node:path').basename('/a/c')")).result).toBe("'c'");
  });
});
