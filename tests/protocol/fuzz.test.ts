import { expect, test } from "vitest";
import { startKernel, type Client, type Execution, type Json } from "./client.js";

/** A seeded stream of numbers in 0…1 (mulberry32), so that a failure comes again. */
function stream(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const types = [
  "kernel_info_request",
  "connect_request",
  "comm_info_request",
  "history_request",
  "is_complete_request",
  "interrupt_request",
  "comm_open",
  "comm_msg",
  "comm_close",
  "input_reply",
  "execute_reply",
  "status",
  "__proto__",
  "constructor",
  "toString",
  "",
] as const;
const fields = [
  "code",
  "comm_id",
  "target_name",
  "data",
  "hist_access_type",
  "pattern",
  "n",
  "session",
  "start",
  "stop",
  "unique",
  "value",
  "silent",
  "user_expressions",
  "__proto__",
];

/**
 * Runs a cell after hostile messages. Among them are true interrupts, and executions that fail: either may rightly
 * stop or abort what comes close behind, so such an answer is asked for again. Any other answer stands.
 */
async function executeAfter(client: Client, code: string): Promise<Execution> {
  // Both channels are answered in order: whatever was sent before has been read.
  await client.request("kernel_info_request", {}, { channel: "control" });
  await client.request("kernel_info_request", {});
  for (let attempt = 1; ; attempt++) {
    const done = await client.execute(code);
    const isStopped = done.status === "aborted" || done.reply.content["ename"] === "InterruptError";
    if (!isStopped || attempt === 5) return done;
  }
}

test("10 000 malformed and hostile messages leave the kernel alive, its state whole, its memory sane", async () => {
  const { kernel, client, stop } = await startKernel();
  await client.execute(
    "let kept = 7; globalThis[Symbol.for('attention-lab.kernel')].registerCommTarget('t', (comm) => comm.onMessage(({ data }) => comm.send(data)))",
  );
  const random = stream(20_260_101);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
  const value = (depth = 0): unknown =>
    pick<() => unknown>([
      () => null,
      () => random() * 1e9 - 5e8,
      () => -1,
      () => "tail",
      () => "search",
      () => "range",
      () => "t",
      () => "*a".repeat(50),
      () => "x".repeat(Math.floor(random() * 2000)),
      () => "comm-" + Math.floor(random() * 5),
      () => true,
      () => (depth > 3 ? [] : [value(depth + 1), value(depth + 1)]),
      () => (depth > 3 ? {} : { [pick(fields)]: value(depth + 1) }),
      () => ({}),
    ])();
  const content = (): Json => Object.fromEntries(fields.filter(() => random() < 0.4).map((field) => [field, value()]));

  for (let n = 0; n < 10_000; n++) {
    const channel = pick(["shell", "control", "stdin"] as const);
    const kind = Math.floor(random() * 7);
    const buffers = random() < 0.1 ? [bytes(10), bytes(0)] : [];
    const good = client.frames(pick(types), kind === 6 ? value() : content(), buffers);
    const spoilt = (): Buffer[] => {
      const { frames } = good;
      if (kind === 0) return [bytes(Math.floor(random() * 40))];
      if (kind === 1) return frames.slice(0, Math.floor(random() * frames.length));
      if (kind === 2) return frames.map((frame, at) => (at === 2 + Math.floor(random() * 4) ? bytes(20) : frame));
      if (kind === 3) return [...frames, ...(n % 500 === 0 ? [Buffer.alloc(8 << 20)] : [])];
      if (kind === 4) return [frames[0], ...frames];
      return frames;
    };
    await client.sendFrames(channel, spoilt());
    if (n % 1000 === 999) {
      expect((await executeAfter(client, "kept")).result).toBe("7");
      await client.beat();
      client.messages.length = 0;
    }
  }
  // Executions with contents of wrong types end with an answer each.
  for (const wrong of [
    {},
    { code: 5 },
    { code: null, user_expressions: 7 },
    { code: "1", user_expressions: { a: 1 } },
    { code: "1", silent: "yes", store_history: 0 },
  ]) {
    expect((await client.request("execute_request", wrong)).content["status"]).toBe("ok");
  }
  expect((await executeAfter(client, "kept + 1")).result).toBe("8");
  expect(Number((await executeAfter(client, "process.memoryUsage().rss / 2 ** 20")).result)).toBeLessThan(500);
  expect(kernel.child.exitCode).toBeNull();
  await stop();
}, 400_000);
