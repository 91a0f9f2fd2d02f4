import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodes, startKernel, type Json } from "../protocol/client.js";

describe.each(nodes)("widgets in a kernel on %s", (node) => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel({ node });
    const cell = await kernel.client.execute(`
      import { Button, IntSlider } from "attention-lab/widgets";
      const wait = (ms) => new Promise((r) => setTimeout(r, ms));`);
    expect(cell.status).toBe("ok");
  });
  afterAll(() => kernel.stop());

  const idOf = async (name: string): Promise<string> =>
    String((await kernel.client.execute(`${name}.id`)).result).slice(1, -1);
  const say = (id: string, data: Json): Promise<string> => kernel.client.send("comm_msg", { comm_id: id, data });
  const slide = (id: string, value: number): Promise<string> =>
    say(id, { method: "update", state: { value }, buffer_paths: [] });

  test("a widget as a cell's value gives its view, and its comms are listed", async () => {
    const cell = await kernel.client.execute("const first = new IntSlider({ value: 3 }); first");
    const data = cell.all("execute_result")[0]?.content["data"] as Json;
    const model = cell.all("comm_open").at(-1)?.content["comm_id"];
    expect(data["application/vnd.jupyter.widget-view+json"]).toEqual({
      version_major: 2,
      version_minor: 1,
      model_id: model,
    });
    const { content } = await kernel.client.request("comm_info_request", { target_name: "jupyter.widget" });
    expect(content["comms"]).toHaveProperty(String(model));
  });

  test("the value comes while a cell awaits it", async () => {
    await kernel.client.execute("const awaited = new IntSlider()");
    const id = await idOf("awaited");
    const cell = await kernel.client.start(
      "const changed = new Promise((r) => awaited.on('change', r)); console.log('listens'); await changed",
    );
    await kernel.client.printed(cell, "listens");
    await slide(id, 42);
    await kernel.client.idle(cell);
    const result = kernel.client.of(cell).find(({ type }) => type === "execute_result");
    expect((result?.content["data"] as Json)["text/plain"]).toBe("42");
  });

  test("output of a handler lands in the cell that registered it; errors are told and harm nobody", async () => {
    await kernel.client.execute("const talking = new IntSlider()");
    const id = await idOf("talking");
    const registering = await kernel.client.execute(
      "talking.on('change', async (v) => { await wait(5); console.log('heard ' + v); if (v === 1) throw new Error('no one') })",
    );
    await kernel.client.execute("0");
    await slide(id, 1);
    const heard = await kernel.client.until(({ content }) => content["text"] === "heard 1\n");
    const told = await kernel.client.until(({ content }) => String(content["text"]).includes("no one"));
    // Without asynchronous contexts (before Node 24) output goes to the latest cell.
    if (node.includes("node-linux")) {
      expect(heard.parent["msg_id"]).toBe(registering.reply.parent["msg_id"]);
      expect(told.parent["msg_id"]).toBe(registering.reply.parent["msg_id"]);
    }
    await slide(id, 2);
    await kernel.client.until(({ content }) => content["text"] === "heard 2\n");
  });

  test("a handler in a synchronous loop is interrupted, and the next event is handled", async () => {
    await kernel.client.execute(
      "const looping = new Button(); let turns = 0; looping.on('click', () => { turns++; if (turns === 1) { console.log('spins'); for (;;); } console.log('clicked again') })",
    );
    const id = await idOf("looping");
    await say(id, { method: "custom", content: { event: "click" } });
    await kernel.client.until(({ content }) => content["text"] === "spins\n");
    await kernel.client.interrupt();
    await say(id, { method: "custom", content: { event: "click" } });
    await kernel.client.until(({ content }) => content["text"] === "clicked again\n");
    expect((await kernel.client.execute("turns")).result).toBe("2");
  });

  test("handlers that await for ever are given up by an interrupt, with an error, and later events are handled", async () => {
    const cell = await kernel.client.execute(`
      const endless = new IntSlider({ max: 1000 });
      const other = new Button();
      endless.on('change', async (v) => { console.log('took ' + v); if (v === 1) await new Promise(() => {}) });
      other.on('click', () => console.log('not held up'));`);
    const registering = String(cell.reply.parent["msg_id"]);
    const [endless, other] = [await idOf("endless"), await idOf("other")];
    const printed = (text: string) => kernel.client.until(({ content }) => content["text"] === `${text}\n`);
    await slide(endless, 1);
    await printed("took 1");
    for (const value of [2, 3, 4]) await slide(endless, value);
    await say(other, { method: "custom", content: { event: "click" } });
    await printed("not held up");
    await kernel.client.interrupt();
    const told = await kernel.client.until(({ content }) =>
      String(content["text"]).includes("handler was interrupted"),
    );
    if (node.includes("node-linux")) expect(told.parent["msg_id"]).toBe(registering);
    await printed("took 4");
    expect(kernel.client.messages.some(({ content }) => /took [23]/.test(String(content["text"])))).toBe(false);
    await slide(endless, 5);
    await printed("took 5");
  });

  test("a handler stops its own work by the signal, long after its cell", async () => {
    await kernel.client.execute(`
      import { interruptSignal } from "attention-lab";
      const working = new Button();
      working.on('click', async () => {
        const signal = interruptSignal();
        console.log('works');
        await new Promise((done) => signal.addEventListener('abort', done));
        console.log('stopped ' + signal.aborted + ' ' + interruptSignal().aborted);
      });`);
    await say(await idOf("working"), { method: "custom", content: { event: "click" } });
    await kernel.client.until(({ content }) => content["text"] === "works\n");
    await kernel.client.interrupt();
    await kernel.client.until(({ content }) => content["text"] === "stopped true false\n");
  });

  test("the control comm answers a reloaded page", async () => {
    await kernel.client.send("comm_open", { comm_id: "control", target_name: "jupyter.widget.control", data: {} });
    await say("control", { method: "request_states" });
    const answer = await kernel.client.until(
      ({ type, content }) => type === "comm_msg" && content["comm_id"] === "control",
    );
    const { states } = answer.content["data"] as { states: Json };
    expect(Object.values(states).map((state) => (state as Json)["model_name"])).toContain("IntSliderModel");
  });
});
