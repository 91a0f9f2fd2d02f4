import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bestOf, bestTime, quantile, timed } from "../budget.js";
import { Client, KernelProcess, nodes, startKernel, type Json } from "./client.js";

const series = async (count: number, body: (n: number) => Promise<unknown>): Promise<number[]> => {
  const times: number[] = [];
  for (let n = 0; n < count; n++) times.push(await timed(() => body(n)));
  return times;
};
/** The best of several rounds, told in the log. */
const figure = async (what: string, budget: number, measure: (round: number) => Promise<number>): Promise<number> => {
  const best = await bestTime(budget, measure);
  console.info(`${what}: ${best.toFixed(1)} (budget ${budget})`);
  return best;
};

describe.each(nodes)("speed on %s", (node) => {
  test("the kernel answers soon after its start, and is small then", async () => {
    let resident = Infinity;
    const start = async (): Promise<number> => {
      const began = performance.now();
      const kernel = await KernelProcess.start({ node });
      const client = await new Client(kernel.connection).ready();
      const took = performance.now() - began;
      await client.execute("1");
      resident = Math.min(resident, Number((await client.execute("process.memoryUsage().rss / 2 ** 20")).result));
      client.close();
      await kernel.kill();
      return took;
    };
    expect(await figure("start → kernel_info, ms", 800, start)).toBeLessThan(800);
    await bestOf(150, async () => (await start(), resident));
    console.info(`resident memory at the start: ${resident.toFixed(0)} MB`);
    expect(resident).toBeLessThan(150);
  }, 240_000);

  describe("with a running kernel", () => {
    let client: Client;
    let stop: () => Promise<void>;
    beforeAll(async () => void ({ client, stop } = await startKernel({ node })));
    afterAll(() => stop());

    test("cells that are new each time", async () => {
      const cell = (name: string): string =>
        `const v${name}: number = ${name.length} * 2; function f${name}(a: number): number { return a + v${name} } f${name}(1)`;
      const round = async (turn: number): Promise<number> =>
        quantile(await series(50, (n) => client.execute(cell(`${turn}x${n}`))), 0.5);
      expect(await figure("new text, median of 50, ms", 15, round)).toBeLessThan(15);
    }, 240_000);

    test("a cell of 200 lines", async () => {
      const lines = (turn: number): string =>
        Array.from(
          { length: 200 },
          (_, i) =>
            `interface T${turn}x${i} { a: number }; function g${turn}x${i}(t: T${turn}x${i}): number { return t.a + ${i}; }`,
        ).join("\n");
      const round = (turn: number): Promise<number> => timed(() => client.execute(lines(turn)));
      expect(await figure("200 lines of declarations, ms", 400, round)).toBeLessThan(400);
    });

    test("a comm echoes, idle and while a cell awaits", async () => {
      await client.execute(`
        var isEnough = false;
        globalThis[Symbol.for('attention-lab.kernel')].registerCommTarget('echo', (comm) =>
          comm.onMessage(({ data }) => { if (data.enough) isEnough = true; comm.send(data) }));
        var wait = (ms) => new Promise((r) => setTimeout(r, ms))`);
      await client.send("comm_open", { comm_id: "c", target_name: "echo", data: {} });
      const echo = async (key: string, data: Json = {}): Promise<void> => {
        await client.send("comm_msg", { comm_id: "c", data: { key, ...data } });
        await client.until(({ type, content }) => type === "comm_msg" && (content["data"] as Json)["key"] === key);
      };
      const p95 = (name: string) => async (round: number) =>
        quantile(await series(60, (n) => echo(`${name} ${round} ${n}`)), 0.95);
      expect(await figure("comm echo, idle, p95, ms", 10, p95("idle"))).toBeLessThan(10);
      const cell = await client.start("while (!isEnough) { await wait(4); for (let k = 0; k < 1e6; k++) {} }");
      await client.running(cell);
      expect(await figure("comm echo, while a cell awaits, p95, ms", 30, p95("awaiting"))).toBeLessThan(30);
      expect(client.hasReplied(cell)).toBe(false);
      await echo("last", { enough: true });
      expect((await client.reply(cell)).content["status"]).toBe("ok");
    }, 240_000);
  });
});
