import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pause } from "../budget.js";
import { startKernel, type Client, type Json, type Message } from "./client.js";

const target = "attention-lab.types.v1";
const wrong = "const count: number = 'text';";

describe("type errors over a comm that the front end opens", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  let serial = 0;
  beforeAll(async () => {
    kernel = await startKernel();
    await kernel.client.send("comm_open", { comm_id: "types", target_name: target, data: {} });
  });
  afterAll(() => kernel.stop());

  const say = (data: Json): Promise<string> => kernel.client.send("comm_msg", { comm_id: "types", data });
  const answerTo = async (client: Client, seq: number): Promise<readonly Json[]> => {
    const isAnswer = ({ type, content }: Message): boolean =>
      type === "comm_msg" && content["comm_id"] === "types" && (content["data"] as Json)["seq"] === seq;
    return ((await client.until(isAnswer)).content["data"] as { readonly findings: readonly Json[] }).findings;
  };
  const check = async (code: string, above: readonly string[] = []): Promise<readonly Json[]> => {
    const seq = ++serial;
    await say({ seq, code, above });
    return answerTo(kernel.client, seq);
  };

  test("a finding has its place, its length in UTF-16 units, message and number", async () => {
    expect(await check(`/* 🦊 */ ${wrong}`)).toEqual([
      {
        line: 1,
        column: 16,
        length: 5,
        message: "Type 'string' is not assignable to type 'number'.",
        code: 2322,
        severity: "error",
      },
    ]);
    expect(await check("const fine: number = 1;")).toEqual([]);
  });

  test("cells that have run and cells above are known, in that order", async () => {
    await kernel.client.execute("const ran: string = 'once'");
    expect(await check("ran.length + above.length")).toMatchObject([{ code: 2304 }]);
    expect(await check("ran.length + above.length", ["const above = [1];", "const ran: string = 'once'"])).toEqual([]);
  });

  test("it answers while a cell computes", async () => {
    const cell = await kernel.client.start("while (true) {}");
    await kernel.client.running(cell);
    expect(await check(wrong)).toHaveLength(1);
    expect(kernel.client.hasReplied(cell)).toBe(false);
    await kernel.client.interrupt();
    await kernel.client.idle(cell);
  });

  test("what is no question is passed over", async () => {
    for (const data of [{}, { seq: "1", code: wrong }, { seq: 1 }, { seq: 1, code: 5 }, { seq: 1, code: "", above: 7 }])
      await say(data);
    await kernel.client.send("comm_msg", { comm_id: "types", data: null });
    expect(await check(wrong, [5 as unknown as string])).toHaveLength(1);
    expect(kernel.kernel.stderr).toBe("");
  });

  test("the comm is listed, and nothing appears below the cells of the client that has it", async () => {
    const { content } = await kernel.client.request("comm_info_request", { target_name: target });
    expect(content["comms"]).toEqual({ types: { target_name: target } });
    await kernel.client.request("complete_request", { code: "consol", cursor_pos: 6 });
    const cell = await kernel.client.execute(wrong);
    await check("1");
    await pause(1500);
    expect(kernel.client.of(String(cell.reply.parent["msg_id"])).some(({ type }) => type === "display_data")).toBe(
      false,
    );
  });

  test("once it is closed they appear below the cells again", async () => {
    await kernel.client.send("comm_close", { comm_id: "types", data: {} });
    const id = await kernel.client.start(wrong);
    await kernel.client.until(({ type, parent }) => type === "display_data" && parent["msg_id"] === id);
    expect((await kernel.client.request("comm_info_request", {})).content["comms"]).toEqual({});
  });
});

test("where advice is switched off, the comm is closed", async () => {
  const kernel = await startKernel({ env: { ATTENTION_LAB_CHECK: "off" } });
  await kernel.client.send("comm_open", { comm_id: "types", target_name: target, data: {} });
  await kernel.client.until(({ type, content }) => type === "comm_close" && content["comm_id"] === "types");
  await kernel.stop();
});
