import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../environment.js";
import { startKernel, type Message } from "./client.js";

const folder = join(root, ".cache/models/all-MiniLM-L6-v2");
/** One run of the engine that takes seconds: its activations are not kept. */
const long = "const many = Array.from({ length: 24 }, () => 'word '.repeat(500));";
const longRun = "await model.run(many, { patterns: false })";

let kernel: Awaited<ReturnType<typeof startKernel>>;
beforeAll(async () => {
  if (!existsSync(folder)) throw new Error("no MiniLM in .cache/models; run: npm test, which fetches it");
  kernel = await startKernel();
  const cells = [
    `import { load, registerCommTarget } from 'attention-lab'; const model = await load(${JSON.stringify(folder)});`,
    "registerCommTarget('echo', (comm) => comm.onMessage(({ data }) => comm.send(data)));",
    long,
    "const before = (await model.run('Paris is in France.')).at('last_hidden_state').slice(0, 0, 0).data[0]; before",
  ];
  for (const cell of cells)
    expect((await kernel.client.execute(cell, {}, 60_000)).reply.content).toMatchObject({ status: "ok" });
});
afterAll(() => kernel.stop());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const isRunning = (id: string): boolean => !kernel.client.of(id).some(({ type }) => type === "execute_reply");

test("an interrupt during inference is answered within a second; the next cell and the model work", async () => {
  for (let round = 0; round < 3; round++) {
    const id = await kernel.client.start(longRun);
    await pause(400);
    expect(isRunning(id)).toBe(true);
    const began = performance.now();
    await kernel.client.request("interrupt_request", {}, { channel: "control" });
    const { content } = await kernel.client.reply(id);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(content).toMatchObject({ status: "error", ename: "InterruptError" });
    const next = performance.now();
    expect((await kernel.client.execute("model.layers")).result).toBe("6");
    expect(performance.now() - next).toBeLessThan(1000);
  }
  const again = "(await model.run('Paris is in France.')).at('last_hidden_state').slice(0, 0, 0).data[0] === before";
  expect((await kernel.client.execute(again, {}, 60_000)).result).toBe("true");
  expect(kernel.kernel.child.exitCode).toBeNull();
}, 120_000);

test("comms answer during inference: p95 below 50 ms", async () => {
  await kernel.client.send("comm_open", { comm_id: "during", target_name: "echo", data: {} });
  const id = await kernel.client.start(`${longRun}; 'finished'`);
  await pause(300);
  const times: number[] = [];
  for (let n = 0; n < 60; n++) {
    const began = performance.now();
    await kernel.client.send("comm_msg", { comm_id: "during", data: { n } });
    const isEcho = ({ type, content }: Message): boolean =>
      type === "comm_msg" && content["comm_id"] === "during" && (content["data"] as { n?: unknown }).n === n;
    await kernel.client.until(isEcho);
    times.push(performance.now() - began);
    await pause(10);
  }
  expect(isRunning(id)).toBe(true);
  times.sort((a, b) => a - b);
  console.info(`comm echo during inference: median ${times[30]?.toFixed(1)} ms, p95 ${times[56]?.toFixed(1)} ms`);
  expect(times[56]).toBeLessThan(50);
  expect((await kernel.client.reply(id, 60_000)).content).toMatchObject({ status: "ok" });
}, 120_000);
