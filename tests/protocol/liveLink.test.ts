import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeTile } from "attention-lab/views";
import { root } from "../environment.js";
import { preferredNode, startKernel, type Json, type Message } from "./client.js";

const model = join(root, "tests/oracles/models/gpt2");
const ids = "[[5, 6, 7, 8, 9]]";
const mime = "application/vnd.attention-lab.head-grid.v1+json";

describe("the live link between a figure and its run", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  let run = "";
  let serial = 0;

  beforeAll(async () => {
    kernel = await startKernel({ node: preferredNode });
    const shown = await kernel.client.execute(
      `import { headEffect, load } from "attention-lab";
       var model = await load(${JSON.stringify(model)});
       var run = await model.run({ inputIds: ${ids} });
       run`,
    );
    const data = shown.all("execute_result")[0].content["data"] as Json;
    run = String(((data[mime] as Json)["live"] as Json)["run"]);
    await open("live");
  });
  afterAll(() => kernel.stop());

  const open = (id: string): Promise<string> =>
    kernel.client.send("comm_open", { comm_id: id, target_name: "attention-lab.v1", data: {} });
  const say = (data: Json, comm = "live"): Promise<string> => kernel.client.send("comm_msg", { comm_id: comm, data });
  const dataOf = ({ content }: Message): Json => content["data"] as Json;
  const heard = (seq: number, ...states: readonly string[]): Promise<Message> =>
    kernel.client.until(
      (message) =>
        message.type === "comm_msg" &&
        dataOf(message)["seq"] === seq &&
        states.includes(String(dataOf(message)["state"])),
    );
  const ended = (seq: number): Promise<Message> => heard(seq, "done", "gone", "failed", "cancelled");
  const ask = async (question: Json): Promise<Message> => {
    const seq = ++serial;
    await say({ seq, run, stack: "", layer: 1, head: 2, sample: 0, coarseness: 0, ...question });
    return ended(seq);
  };
  const valueOf = async (code: string): Promise<unknown> =>
    JSON.parse(String((await kernel.client.execute(`console.log(JSON.stringify(${code}))`)).text()));

  test("a tile comes as 16-bit numbers in a binary buffer", async () => {
    const message = await ask({ ask: "tile" });
    expect(dataOf(message)).toMatchObject({ state: "done", rows: 5, columns: 5, block: 1 });
    const [kept, weights] = message.buffers.map((buffer) => new Uint8Array(buffer));
    const tile = decodeTile({ kept, weights }, 5, 5);
    const whole = (await valueOf("Array.from(run.headPattern({ layer: 1, head: 2 }).data)")) as readonly number[];
    expect(tile).toHaveLength(25);
    tile!.forEach((value, at) => expect(Math.abs(value - whole[at])).toBeLessThanOrEqual(2 ** -11));
  });

  test("an ablation is acknowledged, told on the way, and is what a cell computes", async () => {
    const effect = dataOf(await ask({ ask: "ablate", mode: "mean" }))["effect"];
    expect(effect).toEqual(await valueOf(`await headEffect(run, { layer: 1, head: 2, mode: "mean" })`));
    expect(dataOf(await heard(serial, "heard"))).toEqual({ seq: serial, state: "heard" });
    expect(dataOf(await heard(serial, "at work"))).toMatchObject({ done: 1, total: 3 });
  });

  test("it answers while a cell awaits", async () => {
    const cell = await kernel.client.start("await new Promise((done) => (globalThis.go = done)); 'went on'");
    await kernel.client.running(cell);
    expect(dataOf(await ask({ ask: "tile" }))["state"]).toBe("done");
    expect(dataOf(await ask({ ask: "ablate", mode: "zero" }))["state"]).toBe("done");
    expect(kernel.client.hasReplied(cell)).toBe(false);
    await kernel.client.interrupt();
    await kernel.client.idle(cell);
  });

  test("a run that this kernel does not hold is gone, and nonsense is answered by a reason", async () => {
    expect(dataOf(await ask({ ask: "known", run: "another" }))["state"]).toBe("gone");
    expect(dataOf(await ask({ ask: "constructor" }))).toMatchObject({
      state: "failed",
      reason: /no question/ as never,
    });
    expect(dataOf(await ask({ ask: "ablate", mode: "nonsense" }))["state"]).toBe("failed");
    await say({ nonsense: true });
    await say({ cancel: 10_000 });
    expect(dataOf(await ask({ ask: "known" }))["state"]).toBe("done");
  });

  test("an ablation can be given up, and the stop button gives all of them up", async () => {
    await kernel.client.execute("var realRun = run.again; run.again = () => new Promise(() => undefined);");
    const stuck = ++serial;
    await say({ seq: stuck, ask: "ablate", run, stack: "", layer: 0, head: 0, sample: 0, mode: "zero" });
    await heard(stuck, "heard");
    const waiting = ++serial;
    await say({ seq: waiting, ask: "ablate", run, stack: "", layer: 0, head: 1, sample: 0, mode: "zero" });
    await heard(waiting, "heard");
    await say({ cancel: waiting });
    await kernel.client.interrupt();
    for (const seq of [stuck, waiting]) expect(dataOf(await ended(seq))["state"]).toBe("cancelled");
    await kernel.client.execute("run.again = realRun;");
    expect(dataOf(await ask({ ask: "ablate", mode: "zero" }))["state"]).toBe("done");
  });

  test("a page that comes anew opens another comm and finds the run", async () => {
    await open("reloaded");
    const seq = ++serial;
    await say({ seq, ask: "known", run }, "reloaded");
    expect(dataOf(await ended(seq))["state"]).toBe("done");
  });
});
