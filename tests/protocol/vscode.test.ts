import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startKernel, type Json } from "./client.js";

/** The messages that VS Code's notebooks send, with its options: silent helpers, cells that never stop each other, control for the stop button. */
describe("the messages of VS Code", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => void (kernel = await startKernel()));
  afterAll(() => kernel.stop());

  const cell = (code: string, more: Json = {}): Json => ({
    ...{ code, silent: false, store_history: true, allow_stdin: true, stop_on_error: false, user_expressions: {} },
    ...more,
  });
  const run = async (code: string): Promise<string> => {
    const { id, frames } = kernel.client.frames("execute_request", cell(code), [], {
      cellId: `vscode-notebook-cell:/study.ipynb#${code.length}`,
    });
    await kernel.client.sendFrames("shell", frames);
    return id;
  };

  test("kernel_info answers before anything has run", async () => {
    const { content } = await kernel.client.request("kernel_info_request", {});
    expect(content).toMatchObject({ status: "ok", language_info: { name: "typescript", file_extension: ".ts" } });
    expect((await kernel.client.request("comm_info_request", { target_name: "jupyter.widget" })).content).toEqual({
      status: "ok",
      comms: {},
    });
  });

  test("a silent helper leaves no trace, and its user_expressions come back", async () => {
    const expressions = { version: "process.versions.node.split('.').length", wrong: "nowhere" };
    const silent = cell("globalThis.helped = 1", {
      ...{ silent: true, store_history: false, allow_stdin: false },
      user_expressions: expressions,
    });
    const reply = await kernel.client.request("execute_request", silent);
    expect(reply.content).toMatchObject({
      execution_count: 0,
      user_expressions: {
        version: { status: "ok", data: { "text/plain": "3" } },
        wrong: { status: "error", ename: "ReferenceError" },
      },
    });
    const types = kernel.client.of(String(reply.parent["msg_id"])).map(({ type }) => type);
    expect(types.filter((type) => type !== "status" && type !== "execute_reply")).toEqual([]);
    const first = await run("helped + 1");
    expect((await kernel.client.reply(first)).content["execution_count"]).toBe(1);
  });

  test("the cells behind a failing one run, as VS Code decides for itself what it stops", async () => {
    const [failing, behind] = [await run("throw new Error('first')"), await run("'second'")];
    expect((await kernel.client.reply(failing)).content["status"]).toBe("error");
    expect((await kernel.client.reply(behind)).content["status"]).toBe("ok");
  });

  test("completion, inspection and completeness answer between cells", async () => {
    await kernel.client.idle(await run("const heads = { count: 12 }"));
    const completed = await kernel.client.request("complete_request", { code: "heads.co", cursor_pos: 8 });
    expect(completed.content).toMatchObject({ matches: ["count"], cursor_start: 6, cursor_end: 8 });
    const inspected = await kernel.client.request("inspect_request", { code: "heads", cursor_pos: 3, detail_level: 0 });
    expect(inspected.content).toMatchObject({ status: "ok", found: true });
    expect((await kernel.client.request("is_complete_request", { code: "for (" })).content["status"]).toBe(
      "incomplete",
    );
  });

  test("the stop button comes over control, while the cell asks for input", async () => {
    const id = await run("import { input } from 'attention-lab'; await input('name? ')");
    await kernel.client.until(({ type, parent }) => type === "input_request" && parent["msg_id"] === id);
    expect((await kernel.client.interrupt()).content).toEqual({ status: "ok" });
    expect((await kernel.client.reply(id)).content["ename"]).toBe("InterruptError");
  });

  test("widgets open their comms to it, and take its updates", async () => {
    const id = await run(
      "import { IntSlider } from 'attention-lab/widgets'; const layer = new IntSlider({ max: 11 }); layer",
    );
    await kernel.client.idle(id);
    const opened = kernel.client.of(id).filter(({ type }) => type === "comm_open");
    const model = opened.at(-1)?.content["comm_id"];
    const data = { method: "update", state: { value: 7 }, buffer_paths: [] };
    const update = await kernel.client.send("comm_msg", { comm_id: model, data });
    await kernel.client.idle(update);
    expect((await kernel.client.execute("layer.value")).result).toBe("7");
    const { content } = await kernel.client.request("comm_info_request", { target_name: "jupyter.widget" });
    expect(Object.keys(content["comms"] as Json)).toContain(model);
  });

  test("shutdown is answered on control, and the process ends", async () => {
    const reply = await kernel.client.request("shutdown_request", { restart: false }, { channel: "control" });
    expect(reply.content).toEqual({ status: "ok", restart: false });
    expect(await kernel.kernel.exited).toEqual({ code: 0, signal: null });
  });
});
