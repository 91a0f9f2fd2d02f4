import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bestTime, timed } from "../budget.js";
import { makeGate } from "./gate.js";
import { preferredNode, startKernel, type Json, type Message } from "./client.js";

describe("comms", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  let serial = 0;
  beforeAll(async () => {
    kernel = await startKernel({ node: preferredNode });
    await kernel.client.execute(`
      var kernel = globalThis[Symbol.for('attention-lab.kernel')];
      var wait = (ms) => new Promise((r) => setTimeout(r, ms));
      kernel.registerCommTarget('echo', (comm, { data }) => {
        comm.onMessage(({ data, metadata, buffers }) => comm.send(data, { metadata, buffers, transfer: true }));
        comm.onClose(() => console.log('closed ' + comm.id));
        comm.send({ opened: data });
      });`);
  });
  afterAll(() => kernel.stop());

  const open = async (target: string, data: Json = {}): Promise<string> => {
    const id = `comm-${++serial}`;
    await kernel.client.send("comm_open", { comm_id: id, target_name: target, data });
    return id;
  };
  const say = (id: string, data: unknown, buffers: readonly Uint8Array[] = []) =>
    kernel.client.send("comm_msg", { comm_id: id, data }, { buffers });
  const heard = (id: string, test: (message: Message) => boolean, timeoutMs?: number) =>
    kernel.client.until(
      (message) => message.type.startsWith("comm_") && message.content["comm_id"] === id && test(message),
      timeoutMs,
    );
  const dataOf = (message: Message): Json => message.content["data"] as Json;

  test("a comm opened by the front end echoes, is listed, and is closed by either side", async () => {
    const id = await open("echo", { hello: 1 });
    expect(dataOf(await heard(id, () => true))).toEqual({ opened: { hello: 1 } });
    await say(id, { n: 5 });
    await heard(id, (message) => dataOf(message)["n"] === 5);
    const { content } = await kernel.client.request("comm_info_request", { target_name: "echo" });
    expect((content["comms"] as Json)[id]).toEqual({ target_name: "echo" });
    expect((await kernel.client.request("comm_info_request", { target_name: "other" })).content["comms"]).toEqual({});
    await kernel.client.send("comm_close", { comm_id: id, data: {} });
    await kernel.client.until(({ content }) => content["text"] === `closed ${id}\n`);
    expect(((await kernel.client.request("comm_info_request", {})).content["comms"] as Json)[id]).toBeUndefined();
  });

  test("a target that nobody registered is closed at once", async () => {
    const id = await open("nowhere");
    expect((await heard(id, () => true)).type).toBe("comm_close");
    expect(((await kernel.client.request("comm_info_request", {})).content["comms"] as Json)[id]).toBeUndefined();
  });

  test("a comm opened by the kernel reaches the front end with its data and buffers", async () => {
    const cell = await kernel.client.execute(
      "var mine = kernel.openComm('front', { a: 1 }, { metadata: { version: '2' }, buffers: [new Uint8Array([9, 8])] }); mine.onMessage(({ data }) => mine.send({ got: data }))",
    );
    const [opened] = cell.all("comm_open");
    expect(opened?.content).toMatchObject({ target_name: "front", data: { a: 1 } });
    expect(opened?.metadata).toEqual({ version: "2" });
    expect(opened?.buffers.map((buffer) => [...buffer])).toEqual([[9, 8]]);
    const id = String(opened?.content["comm_id"]);
    await say(id, { x: 1 });
    await heard(id, (message) => JSON.stringify(dataOf(message)) === '{"got":{"x":1}}');
    expect(opened?.header["session"]).not.toBe(kernel.client.session);
  });

  test("messages are handled between the awaits of a busy cell", async () => {
    const id = await open("echo");
    const letGo = await makeGate(kernel.client);
    const cell = await kernel.client.start(
      "let isOpen = false; void gate.then(() => { isOpen = true }); while (!isOpen) await wait(10)",
    );
    await kernel.client.running(cell);
    for (let n = 0; n < 15; n++) {
      await say(id, { busy: n });
      await heard(id, (message) => dataOf(message)["busy"] === n);
    }
    expect(kernel.client.hasReplied(cell)).toBe(false);
    await letGo();
    await kernel.client.idle(cell);
  });

  test("output of a handler belongs to the cell that registered it", async () => {
    const cell = await kernel.client.execute(
      "kernel.registerCommTarget('talk', (comm) => comm.onMessage(async () => { await wait(5); console.log('handled') }))",
    );
    const id = await open("talk");
    await say(id, {});
    const stream = await kernel.client.until(({ content }) => content["text"] === "handled\n");
    expect(stream.parent["msg_id"]).toBe(cell.reply.parent["msg_id"]);
  });

  test("200 slider events coalesce to the latest; other messages keep their order", async () => {
    const letGo = await makeGate(kernel.client);
    await kernel.client.execute(`
      var slid = [], ordered = [];
      kernel.registerCommTarget('slider', (comm) => comm.onMessage(async ({ data }) => { slid.push(data.value); await gate }, { coalesce: () => 'value' }));
      kernel.registerCommTarget('steps', (comm) => comm.onMessage(async ({ data }) => { await wait(data.n % 3); ordered.push(data.n) }))`);
    const [slider, steps] = [await open("slider"), await open("steps")];
    for (let value = 0; value < 200; value++) await say(slider, { value });
    for (let n = 0; n < 50; n++) await say(steps, { n });
    await kernel.client.execute("while (ordered.length < 50) await wait(5)");
    await letGo();
    await kernel.client.execute("while (slid.length < 2) await wait(5)");
    const slid = JSON.parse(
      String((await kernel.client.execute("JSON.stringify(slid)")).result).slice(1, -1),
    ) as number[];
    expect(slid).toEqual([0, 199]);
    expect((await kernel.client.execute("ordered.every((n, i) => n === i)")).result).toBe("true");
  });

  test("a handler that never returns holds up its own target only, one that throws nobody", async () => {
    const cell = await kernel.client.execute(`
      kernel.registerCommTarget('stuck', (comm) => comm.onMessage(() => new Promise(() => {})));
      kernel.registerCommTarget('wrong', (comm) => comm.onMessage(({ data }) => { if (data.bad) throw new Error('handler failed'); comm.send({ fine: true }) }))`);
    await say(await open("stuck"), {});
    const wrong = await open("wrong");
    await say(wrong, { bad: true });
    const told = await kernel.client.until(
      ({ type, content }) => type === "stream" && String(content["text"]).includes("handler failed"),
    );
    expect(told.parent["msg_id"]).toBe(cell.reply.parent["msg_id"]);
    await say(wrong, {});
    await heard(wrong, (message) => dataOf(message)["fine"] === true);
    const echo = await open("echo");
    await heard(echo, () => true);
  });

  test.each([1, 16, 64, 256])(
    "a buffer of %i MiB makes the round trip bit by bit",
    async (mebibytes) => {
      const id = await open("echo");
      await heard(id, () => true);
      const buffer = new Uint8Array(mebibytes << 20);
      const words = new Uint32Array(buffer.buffer);
      for (let i = 0, x = 1; i < words.length; i++) words[i] = x = (Math.imul(x, 1664525) + 1013904223) | 0;
      await say(id, { size: mebibytes }, [buffer, new Uint8Array(0), new Uint8Array([7])]);
      const back = await heard(id, (message) => dataOf(message)["size"] === mebibytes);
      expect(back.buffers.map(({ length }) => length)).toEqual([buffer.length, 0, 1]);
      expect(Buffer.compare(buffer, back.buffers[0] ?? new Uint8Array())).toBe(0);
    },
    180_000,
  );

  test("the kernel sends more than 300 MiB a second", async () => {
    await kernel.client.execute("var fast = kernel.openComm('front')");
    const arrival = (round: number): Promise<number> =>
      timed(async () => {
        await kernel.client.start(
          `fast.send({ big: ${round} }, { buffers: [new ArrayBuffer(256 << 20)], transfer: true })`,
        );
        const { buffers } = await kernel.client.until(
          (message) => message.type === "comm_msg" && dataOf(message)["big"] === round,
        );
        expect(buffers[0]?.length).toBe(256 << 20);
        kernel.client.messages.length = 0;
      });
    const budget = (256 / 300) * 1000;
    const best = await bestTime(budget, arrival);
    console.info(`256 MiB kernel → client: ${Math.round((256 * 1000) / best)} MiB/s`);
    expect(best).toBeLessThan(budget);
  }, 180_000);
});
