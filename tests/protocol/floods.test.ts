import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodes, startKernel } from "./client.js";

describe.each(nodes)("floods on %s", (node) => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel({ node });
  });
  afterAll(() => kernel.stop());

  test.each([2_000, 5_000, 100_000])(
    "%i lines of console.log arrive whole, in order, idle last, in few messages",
    async (lines) => {
      const began = performance.now();
      const cell = await kernel.client.execute(`for (let i = 0; i < ${lines}; i++) console.log('line', i)`);
      const took = performance.now() - began;
      expect(cell.text()).toBe(Array.from({ length: lines }, (_, i) => `line ${i}\n`).join(""));
      expect(cell.outputs.at(-1)).toMatchObject({ type: "status", content: { execution_state: "idle" } });
      expect(cell.all("stream").length).toBeLessThan(Math.max(5, took / 10));
    },
  );

  test("lines that alternate between stdout and stderr arrive whole, in few messages", async () => {
    const began = performance.now();
    const cell = await kernel.client.execute("for (let i = 0; i < 20000; i++) { console.log(i); console.error(i) }");
    const took = performance.now() - began;
    const expected = Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join("");
    expect(cell.text("stdout")).toBe(expected);
    expect(cell.text("stderr")).toBe(expected);
    // jupyter_server drops what comes faster than 1000 a second.
    expect(cell.all("stream").length).toBeLessThan(Math.max(100, 0.9 * took));
  });

  test("two thousand displays arrive, beyond what the socket takes at once", async () => {
    const cell = await kernel.client.execute(
      "for (let i = 0; i < 2000; i++) globalThis[Symbol.for('attention-lab.kernel')].display({ 'text/plain': String(i) }, { raw: true })",
    );
    expect(
      cell.all("display_data").map(({ content }) => (content["data"] as { "text/plain": string })["text/plain"]),
    ).toEqual(Array.from({ length: 2000 }, (_, i) => String(i)));
  });

  test("output appears while a synchronous cell computes on", async () => {
    const id = await kernel.client.start("console.log('started'); while (true) {}");
    await kernel.client.printed(id, "started");
    expect(kernel.client.hasReplied(id)).toBe(false);
    await kernel.client.interrupt();
    await kernel.client.idle(id);
  });

  test("a flood without end can be interrupted, and none of it comes after its error", async () => {
    const id = await kernel.client.start("for (let i = 0; ; i++) console.log('flood', i)");
    await kernel.client.until(({ type, parent }) => type === "stream" && parent["msg_id"] === id);
    await kernel.client.interrupt();
    expect((await kernel.client.reply(id)).content["ename"]).toBe("InterruptError");
    await kernel.client.idle(id);
    const types = kernel.client.of(id).map(({ type }) => type);
    expect(types.lastIndexOf("stream")).toBeLessThan(types.indexOf("error"));
  });

  test("half a gigabyte of output keeps the kernel's memory bounded", async () => {
    const id = await kernel.client.start(
      "const line = 'x'.repeat(1 << 16); for (let i = 0; i < 8192; i++) process.stdout.write(line)",
    );
    const reply = await kernel.client.reply(id, 170_000);
    await kernel.client.idle(id);
    expect(reply.content["status"]).toBe("ok");
    const size = kernel.client
      .of(id)
      .filter(({ type }) => type === "stream")
      .reduce((sum, { content }) => sum + String(content["text"]).length, 0);
    expect(size).toBe(2 ** 29);
    expect(Number((await kernel.client.execute("process.memoryUsage().rss / 2 ** 20")).result)).toBeLessThan(900);
  }, 180_000);
});
