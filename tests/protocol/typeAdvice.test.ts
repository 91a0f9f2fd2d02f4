import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bestTime, pause, quantile, timed } from "../budget.js";
import { startKernel, type Json, type Message } from "./client.js";

const wrong = "const fine = 1;\nconst count: number = new Set<string>();";

describe("type errors below the cells", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => void (kernel = await startKernel()));
  afterAll(() => kernel.stop());

  const start = async (code: string, cellId?: string): Promise<string> => {
    const content = { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false };
    const { id, frames } = kernel.client.frames("execute_request", content, [], cellId ? { cellId } : {});
    await kernel.client.sendFrames("shell", frames);
    return id;
  };
  const run = async (code: string, cellId?: string): Promise<{ readonly id: string; readonly count: number }> => {
    const id = await start(code, cellId);
    const { content: reply } = await kernel.client.reply(id);
    await kernel.client.idle(id);
    return { id, count: Number(reply["execution_count"]) };
  };
  const isAdvice = ({ type, content }: Message): boolean =>
    type === "display_data" && /error TS\d+/.test(String((content["data"] as Json)["text/plain"]));
  const advice = (): readonly Message[] => kernel.client.messages.filter(isAdvice);
  const adviceOn = (id: string): Promise<Message> =>
    kernel.client.until((message) => isAdvice(message) && message.parent["msg_id"] === id, undefined, "advice");

  test("a notebook that nobody writes in gets none", async () => {
    await run(wrong);
    await run("// @check\nconst checked: number = 1;");
    await run(wrong);
    await pause(2000);
    expect(advice()).toEqual([]);
  });

  test("after a completion, each cell's errors come once, below it, escaped, with place and number", async () => {
    await kernel.client.request("complete_request", { code: "consol", cursor_pos: 6 });
    const first = await run(wrong, "a");
    const { content } = await adviceOn(first.id);
    const text = `cell[${first.count}].ts:2:7 error TS2322: Type 'Set<string>' is not assignable to type 'number'.`;
    const data = content["data"] as Json;
    expect(data["text/plain"]).toBe(text);
    expect(data["text/html"]).toContain("Type &#39;Set&lt;string&gt;&#39; is not");
    expect(content).toMatchObject({ metadata: {}, transient: {} });
    await pause(600);
    expect(advice()).toHaveLength(1);
  });

  test("cells run in one go are each told their own; those of an earlier run of the cell are dropped", async () => {
    kernel.client.messages.length = 0;
    await start("let later: string = 5 as any as number", "b");
    const other = await start("const q: boolean = 'x' as string", "c");
    const again = await start("let later: string = 'mended'", "b");
    await kernel.client.idle(again);
    await adviceOn(other);
    await pause(600);
    expect(advice().map(({ parent }) => parent["msg_id"])).toEqual([other]);
  });

  test("nothing is wrong with the library, tslab, names declared again, require and import.meta", async () => {
    kernel.client.messages.length = 0;
    const cells = [
      "import { load, display, Tensor } from 'attention-lab';\nconst opened: (source: string) => unknown = load;",
      "import * as tslab from 'tslab';\nconst shown: unknown = tslab.display.html;",
      "const fs = require('node:fs');\nconst here: string = import.meta.dirname;",
      "const fine: string = 'again';\nlet opened = 3; opened += fine.length;",
    ];
    for (const cell of cells) await run(cell);
    const last = await run(wrong);
    await adviceOn(last.id);
    expect(advice()).toHaveLength(1);
  });

  test("cells do not wait for it", async () => {
    const median = async (round: number): Promise<number> => {
      const times: number[] = [];
      for (let n = 0; n < 20; n++) times.push(await timed(() => run(`const hurried${round}x${n}: string = ${n};`)));
      return quantile(times, 0.5);
    };
    expect(await bestTime(150, median)).toBeLessThan(150);
  });
});

test("ATTENTION_LAB_CHECK=off switches them off, not // @check", async () => {
  const kernel = await startKernel({ env: { ATTENTION_LAB_CHECK: "off" } });
  await kernel.client.request("complete_request", { code: "consol", cursor_pos: 6 });
  await kernel.client.execute(wrong);
  expect((await kernel.client.execute(`// @check\n${wrong}`)).status).toBe("error");
  await pause(1500);
  expect(kernel.client.messages.some(({ type }) => type === "display_data")).toBe(false);
  await kernel.stop();
});
