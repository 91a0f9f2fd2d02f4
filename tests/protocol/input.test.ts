import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startKernel, type Message } from "./client.js";

describe("input and history", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel();
    await kernel.client.execute("var kernel = globalThis[Symbol.for('attention-lab.kernel')]");
  });
  afterAll(() => kernel.stop());

  const asked = (id: string): Promise<Message> =>
    kernel.client.until(({ type, parent }) => type === "input_request" && parent["msg_id"] === id);
  const history = async (content: Record<string, unknown>): Promise<unknown> =>
    (await kernel.client.request("history_request", { output: false, raw: true, ...content })).content["history"];

  test.each([false, true])("input asks the client that runs the cell, password %s", async (password) => {
    const id = await kernel.client.start(`await kernel.input('Name: ', { password: ${password} })`, {
      allow_stdin: true,
    });
    expect(await asked(id)).toMatchObject({ channel: "stdin", content: { prompt: "Name: ", password } });
    await kernel.client.send("input_reply", { value: "Ada 🦊", status: "ok" }, { channel: "stdin" });
    await kernel.client.idle(id);
    expect(kernel.client.of(id).find(({ type }) => type === "execute_result")?.content["data"]).toEqual({
      "text/plain": "'Ada 🦊'",
    });
  });

  test("two questions in one cell have their answers in order", async () => {
    const id = await kernel.client.start("[await kernel.input('a'), await kernel.input('b')].join()", {
      allow_stdin: true,
    });
    for (const prompt of ["a", "b"]) {
      await kernel.client.until(
        ({ type, parent, content }) =>
          type === "input_request" && parent["msg_id"] === id && content["prompt"] === prompt,
      );
      await kernel.client.send("input_reply", { value: prompt.toUpperCase() }, { channel: "stdin" });
    }
    await kernel.client.idle(id);
    expect(kernel.client.of(id).find(({ type }) => type === "execute_result")?.content["data"]).toEqual({
      "text/plain": "'A,B'",
    });
  });

  test("input without allow_stdin is an error at once", async () => {
    const cell = await kernel.client.execute("await kernel.input('?')");
    expect(cell.reply.content).toMatchObject({
      status: "error",
      evalue: expect.stringContaining("does not take input") as string,
    });
  });

  test("an interrupt ends the wait for input, and a late answer harms nobody", async () => {
    const id = await kernel.client.start("await kernel.input('?')", { allow_stdin: true });
    await asked(id);
    await kernel.client.request("interrupt_request", {}, { channel: "control" });
    expect((await kernel.client.reply(id)).content["ename"]).toBe("InterruptError");
    await kernel.client.send("input_reply", { value: "late" }, { channel: "stdin" });
    const next = await kernel.client.start("await kernel.input('again')", { allow_stdin: true });
    await asked(next);
    await kernel.client.send("input_reply", { value: "fresh" }, { channel: "stdin" });
    await kernel.client.idle(next);
    expect(kernel.client.of(next).find(({ type }) => type === "execute_result")?.content["data"]).toEqual({
      "text/plain": "'fresh'",
    });
  });

  test("history gives tail, range and search, with and without output", async () => {
    const first = Number((await kernel.client.execute("10 + 1")).reply.content["execution_count"]);
    await kernel.client.execute("'text'");
    await kernel.client.execute("10 + 1");
    await kernel.client.execute("10 + 2", { store_history: false });
    expect(await history({ hist_access_type: "tail", n: 2 })).toEqual([
      [1, first + 1, "'text'"],
      [1, first + 2, "10 + 1"],
    ]);
    expect(await history({ hist_access_type: "tail", n: 1, output: true })).toEqual([[1, first + 2, ["10 + 1", "11"]]]);
    expect(await history({ hist_access_type: "range", session: 0, start: first, stop: first + 1 })).toEqual([
      [1, first, "10 + 1"],
    ]);
    expect(await history({ hist_access_type: "range", session: 9, start: 0 })).toEqual([]);
    expect(await history({ hist_access_type: "search", pattern: "10*" })).toHaveLength(2);
    expect(await history({ hist_access_type: "search", pattern: "1? + 1", unique: true })).toEqual([
      [1, first + 2, "10 + 1"],
    ]);
    expect(await history({ hist_access_type: "search", pattern: "*", n: 1 })).toHaveLength(1);
  });
});
