import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodes, startKernel } from "./client.js";

const forever = "await new Promise(() => {})";
/** What a user may have to stop; none of it goes through a loop guard unless it says so. */
const cells: readonly (readonly [string, string])[] = [
  ["synchronous loop", "while (true) {}"],
  ["loop after await", "await null; for (;;) {}"],
  ["loop in a timer", `setTimeout(() => { eval('while (true) {}') }, 1); ${forever}`],
  ["loop in setImmediate", `setImmediate(() => { eval('while (true) {}') }); ${forever}`],
  ["loop in nextTick", `process.nextTick(() => { eval('while (true) {}') }); ${forever}`],
  ["loop in a file system callback", `require('fs').stat('.', () => { eval('while (true) {}') }); ${forever}`],
  ["Atomics.wait", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)"],
  ["catastrophic regular expression", "/^(a+)+$/.test('a'.repeat(40) + 'b')"],
  [
    "sort",
    "const numbers = Float64Array.from({ length: 2e7 }, Math.random); while (true) numbers.sort((a, b) => (a < b ? 1 : -1))",
  ],
  [
    "try and finally",
    "while (true) { try { eval('while (true) {}') } catch {} finally { globalThis.cleaned = true } }",
  ],
  ["await that never settles", forever],
  ["stack of an error that never ends", "throw Object.defineProperty(new Error(), 'stack', { get() { for (;;); } })"],
  [
    "message of an error that never ends",
    "throw Object.defineProperty({}, 'message', { get() { eval('for (;;);') } })",
  ],
  ["starved event loop", "await new Promise(() => { const again = () => Promise.resolve().then(again); again() })"],
];

describe.each(nodes)("interrupts on %s", (node) => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel({ node });
    await kernel.client.execute("let kept = 41");
  });
  afterAll(() => kernel.stop());

  const interrupt = () => kernel.client.request("interrupt_request", {}, { channel: "control" });
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  test.each(cells)("%s stops within 2 s, three times, state kept, heartbeat alive", async (_, code) => {
    for (let round = 0; round < 3; round++) {
      const id = await kernel.client.start(code.replace(/^const /, "var "));
      await kernel.client.until(({ type, parent }) => type === "execute_input" && parent["msg_id"] === id);
      await pause(150);
      expect(await kernel.client.beat()).toBeLessThan(500);
      const began = performance.now();
      expect((await interrupt()).content).toEqual({ status: "ok" });
      const reply = await kernel.client.reply(id);
      expect(performance.now() - began).toBeLessThan(2000);
      expect(reply.content).toMatchObject({ status: "error", ename: "InterruptError" });
      expect((await kernel.client.execute("kept + 1")).result).toBe("42");
    }
  });

  test("finally runs in a guarded loop", async () => {
    const id = await kernel.client.start(
      "globalThis.done = 0; try { while (true) {} } finally { globalThis.done = 1 }",
    );
    await pause(100);
    await interrupt();
    await kernel.client.idle(id);
    expect((await kernel.client.execute("globalThis.done")).result).toBe("1");
  });

  test("an abandoned asynchronous loop stops", async () => {
    await kernel.client.execute(
      "globalThis.turns = 0; void (async () => { while (true) { globalThis.turns++; await new Promise((r) => setTimeout(r, 2)) } })()",
    );
    await pause(50);
    await interrupt();
    await pause(50);
    const [first, second] = [
      await kernel.client.execute("globalThis.turns"),
      await pause(60).then(() => kernel.client.execute("globalThis.turns")),
    ];
    expect(Number(first.result)).toBeGreaterThan(3);
    expect(second.result).toBe(first.result);
    expect(second.text("stderr")).toBe("");
  });

  test("an interrupt of an idle kernel disturbs nothing", async () => {
    for (let i = 0; i < 5; i++) await interrupt();
    expect((await kernel.client.execute("await new Promise((r) => setTimeout(r, 20)); kept")).result).toBe("41");
  });

  test("requests behind an interrupted cell are aborted", async () => {
    const id = await kernel.client.start(forever);
    const behind = await kernel.client.start("1");
    await pause(50);
    await interrupt();
    expect((await kernel.client.reply(id)).content["status"]).toBe("error");
    expect((await kernel.client.reply(behind)).content["status"]).toBe("aborted");
  });

  test.each([
    ["value", "({ [Symbol.for('nodejs.util.inspect.custom')]() { eval('while (true) {}') } })"],
    ["display", "({ [Symbol.for('Jupyter.display')]() { return new Promise(() => {}) } })"],
  ])("a %s that never finishes showing itself can be interrupted", async (_, code) => {
    const id = await kernel.client.start(code);
    await pause(150);
    await interrupt();
    expect((await kernel.client.reply(id, 3000)).content["ename"]).toBe("InterruptError");
    expect((await kernel.client.execute("kept")).result).toBe("41");
  });

  test("a comm handler that never ends can be interrupted, and its target serves on", async () => {
    await kernel.client.execute(`globalThis[Symbol.for('attention-lab.kernel')].registerCommTarget('loop', (comm) =>
      comm.onMessage(({ data }) => { if (data.loop) eval('while (true) {}'); comm.send({ fine: 1 }) }))`);
    await kernel.client.send("comm_open", { comm_id: "loop", target_name: "loop", data: {} });
    await kernel.client.send("comm_msg", { comm_id: "loop", data: { loop: true } });
    await pause(100);
    await interrupt();
    await kernel.client.send("comm_msg", { comm_id: "loop", data: {} });
    await kernel.client.until(({ type, content }) => type === "comm_msg" && content["comm_id"] === "loop", 3000);
  });

  test("timers and streams work on after a termination", async () => {
    const id = await kernel.client.start(`setTimeout(() => { eval('while (true) {}') }, 1); ${forever}`);
    await pause(100);
    await interrupt();
    await kernel.client.idle(id);
    const cell = await kernel.client.execute(
      "for (let i = 0; i < 3; i++) { await new Promise((r) => setTimeout(r, 5)); console.log(i) }",
    );
    expect(cell.text()).toBe("0\n1\n2\n");
  });
});
