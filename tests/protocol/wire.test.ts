import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Client, startKernel, type Json } from "./client.js";

describe("the wire", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel();
  });
  afterAll(() => kernel.stop());

  const execution = { code: "globalThis.ran = (globalThis.ran ?? 0) + 1", silent: false };
  const ran = async (): Promise<number> => Number((await kernel.client.execute("globalThis.ran ?? 0")).result);

  test("a wrong signature is dropped in silence", async () => {
    const before = await ran();
    const { id, frames } = kernel.client.frames("execute_request", execution);
    for (const signature of ["", "00", "f".repeat(64), "ü".repeat(64)]) {
      await kernel.client.sendFrames(
        "shell",
        frames.map((frame, at) => (at === 1 ? Buffer.from(signature) : frame)),
      );
    }
    expect(await ran()).toBe(before);
    expect(kernel.client.of(id)).toEqual([]);
    expect(kernel.kernel.stderr).toBe("");
  });

  test("a replayed message is handled once", async () => {
    const before = await ran();
    const { id, frames } = kernel.client.frames("execute_request", execution);
    for (let i = 0; i < 3; i++) await kernel.client.sendFrames("shell", frames);
    await kernel.client.idle(id);
    expect(await ran()).toBe(before + 1);
    expect(kernel.client.of(id).filter(({ type }) => type === "execute_reply")).toHaveLength(1);
  });

  test("buffers are outside the signature", async () => {
    const { id, frames } = kernel.client.frames("execute_request", { code: "'buffers'" }, [new Uint8Array([1, 2, 3])]);
    await kernel.client.sendFrames("shell", frames);
    expect((await kernel.client.reply(id)).content["status"]).toBe("ok");
  });

  test("an unknown message type is ignored", async () => {
    const id = await kernel.client.send("no_such_request", {});
    await kernel.client.execute("1");
    expect(kernel.client.of(id)).toEqual([]);
  });

  test.each([
    ["kernel_info_request", {}],
    ["connect_request", {}],
    ["comm_info_request", {}],
    ["history_request", { hist_access_type: "tail", n: 3, output: false, raw: true }],
    ["is_complete_request", { code: "1 +" }],
  ])(
    "%s is answered on shell and control, between busy and idle, under the kernel's own session",
    async (type, content) => {
      for (const channel of ["shell", "control"] as const) {
        const id = await kernel.client.send(type, content, { channel });
        const reply = await kernel.client.reply(id);
        await kernel.client.idle(id);
        expect(reply.channel).toBe(channel);
        expect(reply.type).toBe(type.replace("_request", "_reply"));
        const states = kernel.client
          .of(id)
          .filter((message) => message.type === "status")
          .map((message) => message.content["execution_state"]);
        expect(states).toEqual(["busy", "idle"]);
        expect(reply.header["session"]).not.toBe(kernel.client.session);
        expect(reply.parent).toMatchObject({ session: kernel.client.session, msg_id: id, msg_type: type });
      }
    },
  );

  test("kernel_info names the language honestly", async () => {
    const { content } = await kernel.client.request("kernel_info_request", {});
    expect(content).toMatchObject({
      status: "ok",
      protocol_version: "5.5",
      implementation: "attention-lab",
      supported_features: [],
    });
    expect(content["language_info"]).toMatchObject({
      name: "typescript",
      version: "6.0.3",
      mimetype: "application/typescript",
      file_extension: ".ts",
    });
  });

  test("requests are answered while a cell computes, and the kernel stays busy for clients that look at the last state", async () => {
    const cell = await kernel.client.start("while (true) {}");
    await kernel.client.running(cell);
    await kernel.client.request("kernel_info_request", {});
    await kernel.client.request("comm_info_request", {}, { channel: "control" });
    expect(kernel.client.hasReplied(cell)).toBe(false);
    const last = () => kernel.client.messages.findLast(({ type }) => type === "status");
    await kernel.client.until(() => last()?.content["execution_state"] === "busy" && last()?.parent["msg_id"] === cell);
    await kernel.client.interrupt();
    expect((await kernel.client.idle(cell)).content["execution_state"]).toBe("idle");
  });

  test("is_complete tells complete, incomplete and invalid", async () => {
    const ask = async (code: string): Promise<Json> =>
      (await kernel.client.request("is_complete_request", { code })).content;
    expect(await ask("const a = 1")).toEqual({ status: "complete" });
    expect(await ask("if (a) {")).toEqual({ status: "incomplete", indent: "  " });
    expect((await ask("a b c )"))["status"]).toBe("invalid");
  });

  test("two clients: each has its replies, both see the output and the state", async () => {
    const second = await new Client(kernel.kernel.connection).ready();
    const [mine, theirs] = [await kernel.client.execute("'mine'"), await second.execute("'theirs'")];
    expect([mine.result, theirs.result]).toEqual(["'mine'", "'theirs'"]);
    await second.idle(String(mine.reply.parent["msg_id"]));
    expect(second.of(String(mine.reply.parent["msg_id"])).some(({ type }) => type === "execute_reply")).toBe(false);
    expect(second.of(String(mine.reply.parent["msg_id"])).some(({ type }) => type === "execute_result")).toBe(true);
    second.close();
  });
});

describe("other connections", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>> | undefined;
  afterEach(() => kernel?.stop());

  test("an empty key means no signing", async () => {
    kernel = await startKernel({ key: "" });
    expect((await kernel.client.execute("1 + 1")).result).toBe("2");
  });

  test.skipIf(process.platform === "win32")("ipc works, on the file names that clients expect", async () => {
    kernel = await startKernel({ transport: "ipc" });
    expect((await kernel.client.execute("1 + 1")).result).toBe("2");
    await kernel.client.beat();
    expect(
      existsSync(`${String(kernel.kernel.connection["ip"])}-${String(kernel.kernel.connection["shell_port"])}`),
    ).toBe(true);
  });
});
