import { describe, expect, test } from "vitest";
import { Client, KernelProcess, nodes, startKernel, type Json } from "./client.js";

const quantile = (times: readonly number[], share: number): number => {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};
const timed = async (body: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await body();
  return performance.now() - began;
};
const series = async (count: number, body: (n: number) => Promise<unknown>): Promise<number[]> => {
  const times: number[] = [];
  for (let n = 0; n < count; n++) times.push(await timed(() => body(n)));
  return times;
};
const ms = (time: number): string => `${time.toFixed(1)} ms`;

describe.each(nodes)("speed on %s", (node) => {
  test("start, cells and memory stay within their budgets", async () => {
    const starts: number[] = [];
    for (let n = 0; n < 3; n++) {
      const began = performance.now();
      const kernel = await KernelProcess.start({ node });
      const client = await new Client(kernel.connection).ready();
      starts.push(performance.now() - began);
      client.close();
      await kernel.kill();
    }
    const { client, stop } = await startKernel({ node });
    const first = await timed(() => client.execute("1"));
    const resident = Number((await client.execute("process.memoryUsage().rss / 2 ** 20")).result);
    const same = await series(50, () => client.execute("1 + 1"));
    const fresh = await series(50, (n) =>
      client.execute(
        `const v${n}: number = ${n} * 2; function f${n}(a: number): number { return a + v${n} } f${n}(${n})`,
      ),
    );
    const long = await series(3, (n) =>
      client.execute(
        Array.from(
          { length: 200 },
          (_, i) =>
            `interface T${n}x${i} { a: number }; function g${n}x${i}(t: T${n}x${i}): number { return t.a + ${i}; }`,
        ).join("\n"),
      ),
    );
    const after = Number((await client.execute("process.memoryUsage().rss / 2 ** 20")).result);
    console.info(
      `${node}\n  start → kernel_info ${ms(Math.min(...starts))} (best of 3; worst ${ms(Math.max(...starts))}), first cell ${ms(first)}` +
        `\n  1 + 1: median ${ms(quantile(same, 0.5))}, p90 ${ms(quantile(same, 0.9))}; new text: median ${ms(quantile(fresh, 0.5))}, p90 ${ms(quantile(fresh, 0.9))}` +
        `\n  200 lines of declarations ${ms(quantile(long, 0.5))}; resident ${resident.toFixed(0)} → ${after.toFixed(0)} MB`,
    );
    expect(Math.min(...starts)).toBeLessThan(800);
    expect(quantile(fresh, 0.5)).toBeLessThan(15);
    expect(quantile(long, 0.5)).toBeLessThan(400);
    expect(resident).toBeLessThan(150);
    await stop();
  });

  test("a comm echoes in time, idle and while a cell awaits", async () => {
    const { client, stop } = await startKernel({ node });
    await client.execute(
      "globalThis[Symbol.for('attention-lab.kernel')].registerCommTarget('echo', (comm) => comm.onMessage(({ data }) => comm.send(data))); var wait = (ms) => new Promise((r) => setTimeout(r, ms))",
    );
    await client.send("comm_open", { comm_id: "c", target_name: "echo", data: {} });
    const echo = async (key: string): Promise<void> => {
      await client.send("comm_msg", { comm_id: "c", data: { key } });
      await client.until(({ type, content }) => type === "comm_msg" && (content["data"] as Json)["key"] === key);
      client.messages.length = 0;
    };
    const idle = await series(60, (n) => echo(`idle ${n}`));
    await client.start("for (let i = 0; i < 300; i++) { await wait(4); for (let k = 0; k < 1e6; k++) {} }");
    const awaiting = await series(60, (n) => echo(`awaiting ${n}`));
    console.info(
      `${node}\n  comm echo idle p50 ${ms(quantile(idle, 0.5))} p95 ${ms(quantile(idle, 0.95))}; while awaiting p50 ${ms(quantile(awaiting, 0.5))} p95 ${ms(quantile(awaiting, 0.95))}`,
    );
    expect(quantile(idle, 0.95)).toBeLessThan(10);
    expect(quantile(awaiting, 0.95)).toBeLessThan(30);
    await stop();
  });
});
