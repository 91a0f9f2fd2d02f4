import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bestOf } from "../budget.js";
import { nodes, startKernel, type Json } from "./client.js";

const kernelApi =
  "var kernel = globalThis[Symbol.for('attention-lab.kernel')]; var wait = (ms) => new Promise((r) => setTimeout(r, ms));";

describe.each(nodes)("output on %s", (node) => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel({ node });
    await kernel.client.execute(kernelApi);
  });
  afterAll(() => kernel.stop());

  test("display keeps its place among the streams", async () => {
    const cell = await kernel.client.execute("console.log(1); kernel.display('two'); console.log(3)");
    const order = cell.outputs.map(({ type }) => type).filter((type) => type !== "status" && type !== "execute_input");
    expect(order).toEqual(["stream", "display_data", "stream"]);
    expect(cell.all("display_data")[0]?.content).toEqual({
      data: { "text/plain": "'two'" },
      metadata: {},
      transient: {},
    });
  });

  test("a value shows itself through Jupyter.display, at once or later, as result and as display", async () => {
    const show = "[Symbol.for('Jupyter.display')]()";
    const now = await kernel.client.execute(`({ ${show} { return { 'text/html': '<b>x</b>', 'text/plain': 'x' } } })`);
    expect(now.all("execute_result")[0]?.content["data"]).toEqual({ "text/html": "<b>x</b>", "text/plain": "x" });
    const later = await kernel.client.execute(
      `kernel.display({ async ${show} { await wait(30); return { 'image/png': new Uint8Array([1, 2, 3]) } } }); 0`,
    );
    const data = later.all("display_data")[0]?.content["data"] as Json;
    expect(data["image/png"]).toBe("AQID");
    expect(data["text/plain"]).toBeTypeOf("string");
  });

  test("a display method that throws gives the text and the reason, not an error", async () => {
    const cell = await kernel.client.execute(
      "({ a: 1, [Symbol.for('Jupyter.display')]() { throw new Error('no picture') } })",
    );
    expect(cell.status).toBe("ok");
    expect(cell.result).toContain("a: 1");
    expect(cell.text("stderr")).toContain("no picture");
  });

  test("a bundle part without JSON form is left out, the rest arrives", async () => {
    const cell = await kernel.client.execute(
      "kernel.display({ 'text/plain': 't', 'application/json': { big: 1n } }, { raw: true }); 0",
    );
    expect(cell.all("display_data")[0]?.content["data"]).toEqual({ "text/plain": "t" });
    expect(cell.text("stderr")).toContain("application/json");
  });

  test("an output is updated by its id from another cell", async () => {
    const first = await kernel.client.execute("await kernel.display('before', { id: 'bar' }); 0");
    expect(first.all("display_data")[0]?.content["transient"]).toEqual({ display_id: "bar" });
    const second = await kernel.client.execute("(await kernel.display('x', { id: 'other' })).update('after'); 0");
    expect(second.all("update_display_data")[0]?.content).toMatchObject({
      transient: { display_id: "other" },
      data: { "text/plain": "'after'" },
    });
  });

  test.each([true, false])("clear_output carries wait %s", async (wait) => {
    const cell = await kernel.client.execute(`kernel.clearOutput({ wait: ${wait} })`);
    expect(cell.all("clear_output").map(({ content }) => content)).toEqual([{ wait }]);
  });

  test("late output reaches the most recent cell at least, and the cell it comes from on Node 24", async () => {
    const early = await kernel.client.execute(
      `var isLate = false;
       const timer = setInterval(() => { if (isLate) { clearInterval(timer); console.log('late') } }, 5);
       (async () => { while (!isLate) await wait(5); kernel.display('later') })(); 0`,
    );
    const id = String(early.reply.parent["msg_id"]);
    const other = await kernel.client.execute("isLate = true");
    const stream = await kernel.client.until(({ type, content }) => type === "stream" && content["text"] === "late\n");
    const displayed = await kernel.client.until(
      ({ type, content }) => type === "display_data" && JSON.stringify(content).includes("later"),
    );
    const expected = node.includes("node-linux") ? id : other.reply.parent["msg_id"];
    expect(stream.parent["msg_id"]).toBe(expected);
    expect(displayed.parent["msg_id"]).toBe(expected);
  });

  test("values of cells are not pinned: fifty of 100 MB end at the memory before plus one", async () => {
    const resident = async (): Promise<number> =>
      Number((await kernel.client.execute("globalThis.gc?.(); process.memoryUsage().rss / 2 ** 20")).result);
    const before = await resident();
    for (let i = 0; i < 50; i++) await kernel.client.execute("new Float32Array(25_000_000).fill(1)");
    // The engine frees them when it comes to it.
    expect(await bestOf(220, async () => (await resident()) - before)).toBeLessThan(220);
  }, 120_000);

  test("text of a huge value is cut", async () => {
    expect(
      String((await kernel.client.execute("Array.from({ length: 1e6 }, (_, i) => i)")).result).length,
    ).toBeLessThan(5000);
  });
});
