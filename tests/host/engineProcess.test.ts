import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { build, input } from "../../kernel/lib/graph/index.js";
import { poolSize } from "../../kernel/lib/host/enginePool.js";
import { EngineProcess } from "../../kernel/lib/host/engineProcess.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { random } from "../../kernel/lib/tensor/index.js";

const x = input("x", "float32", [64, 64]);
const graph = { y: build.softmax(build.matMul(x, x), 1), ids: build.cast(x, "int32") };
const feeds = { x: random(1).normal([64, 64]) };

/** Processes below this one that run the engine. */
const children = (): number[] =>
  execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes("engineChild.js"))
    .map((line) => Number.parseInt(line, 10));

it("an engine in a process of its own computes what the one in this process does", async () => {
  const port = new EngineProcess(1);
  const there = await new OrtEngine("cpu", { thread: port }).compile(graph);
  const here = await new OrtEngine("cpu").compile(graph);
  const [a, b] = [await there.run(feeds), await here.run(feeds)];
  expect(a["ids"].data).toEqual(b["ids"].data);
  a["y"].numbers().forEach((value, i) => expect(Math.abs(value - b["y"].numbers()[i])).toBeLessThan(1e-6));
  await expect(port.ask({ kind: "release", session: "unknown" })).resolves.toBeDefined();
  await expect(port.ask({ kind: "held", state: "none", names: [] })).rejects.toThrow("the state was disposed of");
  port.close();
  await here.dispose();
});

it("a process that is ended fails what it was asked with the reason; the next task starts another", async () => {
  const port = new EngineProcess(1);
  const engine = new OrtEngine("cpu", { thread: port });
  await engine.compile(graph);
  const [pid] = children();
  // Held, so that no answer comes before it ends.
  process.kill(pid, "SIGSTOP");
  const asked = port.ask({ kind: "backends" });
  process.kill(pid, "SIGKILL");
  await expect(asked).rejects.toThrow(
    "engine: its process was ended by SIGKILL: there may have been too little memory",
  );
  expect((await port.ask({ kind: "backends" })).backends!.length).toBeGreaterThan(0);
  port.close();
});

it("there are as many processes as trainings, cores and memory allow, or as many as were wanted", () => {
  const room = { cores: 4, freeBytes: 8e9 };
  expect([1, 3, 9].map((jobs) => poolSize(jobs, undefined, room))).toEqual([1, 3, 4]);
  expect(poolSize(9, undefined, { ...room, freeBytes: 1.2e9 })).toBe(2);
  expect(poolSize(9, undefined, { ...room, freeBytes: 1e8 })).toBe(1);
  expect([poolSize(9, 6, room), poolSize(2, 6, room), poolSize(0, 6, room)]).toEqual([6, 2, 1]);
  expect(() => poolSize(9, 0, room)).toThrow("compare: processes must be a whole number of at least 1, got 0");
});
