import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bestTime, pause, timed } from "../budget.js";
import { nodes, startKernel } from "./client.js";

const forever = "await new Promise(() => {})";
const begun = "console.log('begun')";
const spin = `${begun}; eval('while (true) {}')`;
/** What a user may have to stop; none of it goes through a loop guard unless it says so. Each writes a line where it begins. */
const cells: readonly (readonly [string, string])[] = [
  ["synchronous loop", `${begun}; while (true) {}`],
  ["loop after await", `${begun}; await null; for (;;) {}`],
  ["loop in a timer", `setTimeout(() => { ${spin} }, 1); ${forever}`],
  ["loop in setImmediate", `setImmediate(() => { ${spin} }); ${forever}`],
  ["loop in nextTick", `process.nextTick(() => { ${spin} }); ${forever}`],
  ["loop in a file system callback", `require('fs').stat('.', () => { ${spin} }); ${forever}`],
  ["Atomics.wait", `${begun}; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`],
  ["catastrophic regular expression", `${begun}; /^(a+)+$/.test('a'.repeat(40) + 'b')`],
  [
    "sort",
    `(() => {
      const numbers = new Float64Array(4e6);
      for (let i = 0; i < numbers.length; i++) numbers[i] = (i * 7919) % 10007;
      ${begun};
      while (true) numbers.sort((a, b) => (a < b ? 1 : -1));
    })()`,
  ],
  [
    "try and finally",
    `${begun}; while (true) { try { eval('while (true) {}') } catch {} finally { globalThis.cleaned = true } }`,
  ],
  ["await that never settles", `${begun}; ${forever}`],
  [
    "stack of an error that never ends",
    `throw Object.defineProperty(new Error(), 'stack', { get() { ${begun}; for (;;); } })`,
  ],
  ["message of an error that never ends", `throw Object.defineProperty({}, 'message', { get() { ${spin} } })`],
  [
    "starved event loop",
    `${begun}; await new Promise(() => { const again = () => Promise.resolve().then(again); again() })`,
  ],
];

describe.each(nodes)("interrupts on %s", (node) => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel({ node });
    await kernel.client.execute("let kept = 41");
  });
  afterAll(() => kernel.stop());

  /** Starts a cell that writes "begun" where it is to be stopped. */
  const begin = async (code: string): Promise<string> => {
    const id = await kernel.client.start(code);
    await kernel.client.printed(id, "begun");
    return id;
  };

  test.each(cells)("%s stops within 2 s, three times, state kept, heartbeat alive", async (_, code) => {
    let rounds = 0;
    const stopped = async (): Promise<number> => {
      rounds++;
      const id = await begin(code);
      await kernel.client.beat();
      const took = await timed(async () => {
        expect((await kernel.client.interrupt()).content).toEqual({ status: "ok" });
        expect((await kernel.client.reply(id)).content).toMatchObject({ status: "error", ename: "InterruptError" });
      });
      expect((await kernel.client.execute("kept + 1")).result).toBe("42");
      return took;
    };
    for (let round = 0; round < 2; round++) await stopped();
    expect(await bestTime(2000, stopped)).toBeLessThan(2000);
    expect(rounds).toBeGreaterThan(2);
  });

  test("finally runs in a guarded loop", async () => {
    const id = await begin(`globalThis.done = 0; try { ${begun}; while (true) {} } finally { globalThis.done = 1 }`);
    await kernel.client.interrupt();
    await kernel.client.idle(id);
    expect((await kernel.client.execute("globalThis.done")).result).toBe("1");
  });

  test("an abandoned asynchronous loop stops", async () => {
    await kernel.client.execute(
      "globalThis.turns = 0; void (async () => { while (true) { globalThis.turns++; await new Promise((r) => setTimeout(r, 2)) } })()",
    );
    await kernel.client.execute("while (turns < 5) await new Promise((r) => setTimeout(r, 2))");
    await kernel.client.interrupt();
    const turns = async (): Promise<unknown> => (await kernel.client.execute("globalThis.turns")).result;
    const first = await turns();
    await pause(60);
    const second = await kernel.client.execute("globalThis.turns");
    expect(second.result).toBe(first);
    expect(second.text("stderr")).toBe("");
  });

  test("an interrupt of an idle kernel disturbs nothing", async () => {
    for (let i = 0; i < 5; i++) await kernel.client.interrupt();
    expect((await kernel.client.execute("await new Promise((r) => setTimeout(r, 20)); kept")).result).toBe("41");
  });

  test("requests behind an interrupted cell are aborted", async () => {
    const id = await kernel.client.start(forever);
    const behind = await kernel.client.start("1");
    await kernel.client.running(id);
    // Answered in order: the request behind is in the queue.
    await kernel.client.request("kernel_info_request", {});
    await kernel.client.interrupt();
    expect((await kernel.client.reply(id)).content["status"]).toBe("error");
    expect((await kernel.client.reply(behind)).content["status"]).toBe("aborted");
  });

  test.each([
    ["value", `({ [Symbol.for('nodejs.util.inspect.custom')]() { ${spin} } })`],
    ["display", `({ [Symbol.for('Jupyter.display')]() { ${begun}; return new Promise(() => {}) } })`],
  ])("a %s that never finishes showing itself can be interrupted", async (_, code) => {
    const id = await begin(code);
    await kernel.client.interrupt();
    expect((await kernel.client.reply(id)).content["ename"]).toBe("InterruptError");
    expect((await kernel.client.execute("kept")).result).toBe("41");
  });

  test("a comm handler that never ends can be interrupted, and its target serves on", async () => {
    await kernel.client.execute(`globalThis[Symbol.for('attention-lab.kernel')].registerCommTarget('loop', (comm) =>
      comm.onMessage(({ data }) => { if (data.loop) { comm.send({ begun: 1 }); eval('while (true) {}') } comm.send({ fine: 1 }) }))`);
    await kernel.client.send("comm_open", { comm_id: "loop", target_name: "loop", data: {} });
    const said = (word: string) =>
      kernel.client.until(
        ({ type, content }) =>
          type === "comm_msg" && content["comm_id"] === "loop" && word in (content["data"] as object),
      );
    await kernel.client.send("comm_msg", { comm_id: "loop", data: { loop: true } });
    await said("begun");
    await kernel.client.interrupt();
    await kernel.client.send("comm_msg", { comm_id: "loop", data: {} });
    await said("fine");
  });

  test("timers and streams work on after a termination", async () => {
    const id = await begin(`setTimeout(() => { ${spin} }, 1); ${forever}`);
    await kernel.client.interrupt();
    await kernel.client.idle(id);
    const cell = await kernel.client.execute(
      "for (let i = 0; i < 3; i++) { await new Promise((r) => setTimeout(r, 5)); console.log(i) }",
    );
    expect(cell.text()).toBe("0\n1\n2\n");
  });
});
