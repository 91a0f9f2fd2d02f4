import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { EngineTask } from "../../kernel/lib/host/engineMessages.js";
import { EngineThread } from "../../kernel/lib/host/engineThread.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant, input } from "../../kernel/lib/graph/index.js";
import { Tensor, tensor } from "../../kernel/lib/tensor/index.js";

class CountingThread extends EngineThread {
  readonly kinds: string[] = [];

  override ask(task: EngineTask, transfer: readonly ArrayBuffer[] = []): ReturnType<EngineThread["ask"]> {
    this.kinds.push(task.kind);
    return super.ask(task, transfer);
  }
}

const thread = new CountingThread();
const engine = new OrtEngine("cpu", { thread });
const doubled = (): Value => build.mul(input("x", "float32", ["n"]), 2);

/** A run of some hundred milliseconds. */
function slowGraph(): Value {
  const side = 900;
  let x = input("x", "float32", [side, side]);
  for (let i = 0; i < 24; i++) x = build.matMul(x, build.mul(x, 1 / (i + 2)));
  return build.reduceSum(x);
}
const slowFeeds = { x: new Tensor("float32", [900, 900], new Float32Array(900 * 900).fill(1e-3)) };

describe("a compiled graph", () => {
  it("runs, and leaves the caller's tensors whole", async () => {
    const compiled = await engine.compile({ y: doubled() });
    const x = tensor([1, 2, 3]);
    expect((await compiled.run({ x }))["y"].numbers()).toEqual(Float64Array.of(2, 4, 6));
    expect([...x.data]).toEqual([1, 2, 3]);
    expect((await compiled.run({ x: tensor([5]) }))["y"].shape).toEqual([1]);
    await compiled.dispose();
  });

  it("sends only its part of a larger buffer", async () => {
    const compiled = await engine.compile({ y: doubled() });
    const rows = tensor([[1, 2], [3, 4]]); // prettier-ignore
    expect((await compiled.run({ x: rows.slice(1) }))["y"].numbers()).toEqual(Float64Array.of(6, 8));
    await compiled.dispose();
  });

  it("is loaded once for equal graphs and released with its last user", async () => {
    thread.kinds.length = 0;
    const [a, b] = await Promise.all([engine.compile({ y: doubled() }), engine.compile({ y: doubled() })]);
    expect(thread.kinds).toEqual(["create"]);
    await a.dispose();
    await a.dispose();
    expect((await b.run({ x: tensor([4]) }))["y"].item(0)).toBe(8);
    await b.dispose();
    expect(thread.kinds).toEqual(["create", "run", "release"]);
    await expect(b.run({ x: tensor([4]) })).rejects.toThrow("run: this graph was disposed of");
  });

  it("is told apart from one that differs only in the sign of a zero", async () => {
    const divided = (zero: number): Value => build.div(input("x", "float32", [1]), zero);
    const [plus, minus] = await Promise.all([engine.compile({ y: divided(0) }), engine.compile({ y: divided(-0) })]);
    expect((await plus.run({ x: tensor([1]) }))["y"].item(0)).toBe(Infinity);
    expect((await minus.run({ x: tensor([1]) }))["y"].item(0)).toBe(-Infinity);
    await Promise.all([plus.dispose(), minus.dispose()]);
  });

  it("returns only the outputs asked for", async () => {
    const x = input("x", "float32", ["n"]);
    const compiled = await engine.compile({ twice: build.mul(x, 2), thrice: build.mul(x, 3) });
    expect(Object.keys(await compiled.run({ x: tensor([1]) }, ["thrice"]))).toEqual(["thrice"]);
    await expect(compiled.run({ x: tensor([1]) }, ["twise"])).rejects.toThrow(
      'unknown output "twise"; did you mean "twice"?',
    );
    await compiled.dispose();
  });

  it("passes an input or a constant through as an output", async () => {
    const x = input("x", "float32", ["n"]);
    const compiled = await engine.compile({ same: x, fixed: constant(tensor([7])), again: x });
    const results = await compiled.run({ x: tensor([1, 2]) });
    expect(Object.entries(results).map(([name, t]) => [name, [...t.data]])).toEqual([
      ["same", [1, 2]],
      ["fixed", [7]],
      ["again", [1, 2]],
    ]);
    await compiled.dispose();
  });
});

describe("what does not fit is refused before it runs", () => {
  it("names the input, its shape and where a size came from", async () => {
    const x = input("x", "float32", ["n", 2]);
    const compiled = await engine.compile({ y: build.add(x, input("z", "float32", ["n", 2])) });
    const good = tensor([[1, 2]]);
    await expect(compiled.run({ x: good })).rejects.toThrow('run: no feed for input "z"');
    await expect(compiled.run({ x: good, z: tensor([1]) })).rejects.toThrow(
      '"z" must be [n,2] float32, got [1] float32',
    );
    await expect(compiled.run({ x: good, z: tensor([[1, 2], [3, 4]]) })).rejects.toThrow('axis "n" is 1 in "x"'); // prettier-ignore
    await expect(compiled.run({ x: good, z: tensor([[1, 2]], "int32") })).rejects.toThrow("got [1,2] int32");
    await compiled.dispose();
  });

  it("tells how much memory is needed and how much is free", async () => {
    const small = new OrtEngine("cpu", { freeBytes: () => 1_000_000 });
    const compiled = await small.compile({ y: doubled() });
    await expect(
      compiled.run({ x: new Tensor("float32", [50_000_000], new Float32Array(50_000_000)) }),
    ).rejects.toThrow("run: needs 0.2 GB, 0.001 GB free");
    await compiled.dispose();
  });

  it("tells what the device has, where that is less than this machine", async () => {
    const small = new OrtEngine("cpu", { deviceBytes: 1_000_000 });
    const compiled = await small.compile({ y: doubled() });
    await expect(compiled.run({ x: new Tensor("float32", [500_000], new Float32Array(500_000)) })).rejects.toThrow(
      "run: needs 0.002 GB, cpu has 0.001 GB",
    );
    await compiled.dispose();
  });

  it("names the node whose operands were wrong at run time", async () => {
    const rows = build.gather(constant(tensor([[1], [2]])), input("ids", "int32", ["n"]), 0);
    const compiled = await engine.compile({ y: build.mul(build.named("embed", rows), 2) });
    const refusal = await compiled.run({ ids: tensor([7], "int32") }).catch((error: Error) => error);
    expect((refusal as Error).message).toMatch(/embed\/Gather/);
    // The line of this file at which the gather was written.
    const { message, stack } = (refusal as Error).cause as Error;
    expect(message).toBe("Gather was made here");
    expect(stack).toContain("session.test.ts");
    await compiled.dispose();
  });

  it("names the line of the graph at hand, not that of an equal one before it", async () => {
    const table = constant(tensor([[1], [2]]));
    const ids = (): Value => input("ids", "int32", ["n"]);
    const first = (): Value => build.gather(table, ids(), 0);
    const second = (): Value => build.gather(table, ids(), 0);
    for (const make of [first, second]) {
      const compiled = await engine.compile({ y: build.mul(make(), 3) });
      const refusal = await compiled.run({ ids: tensor([7], "int32") }).catch((error: Error) => error);
      const { stack } = (refusal as Error).cause as Error;
      expect(stack).toMatch(new RegExp(`at ${make.name} `));
      await compiled.dispose();
    }
  });

  it("keeps the % of generated names to itself", async () => {
    await expect(engine.compile({ "%y": doubled() })).rejects.toThrow("reserved");
    await expect(engine.compile({ x: doubled() })).rejects.toThrow('"x" names an input and an output');
  });
});

describe("a long run", () => {
  it("leaves the calling thread free", async () => {
    const compiled = await engine.compile({ y: slowGraph() });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const start = performance.now();
    await compiled.run(slowFeeds);
    const elapsed = performance.now() - start;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(elapsed / 20);
    await compiled.dispose();
  });

  it("is given up at once when aborted, and the engine works on", async () => {
    const compiled = await engine.compile({ y: slowGraph() });
    const controller = new AbortController();
    const result = compiled.run(slowFeeds, undefined, { signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const start = performance.now();
    controller.abort(new Error("stop"));
    await expect(result).rejects.toThrow("stop");
    expect(performance.now() - start).toBeLessThan(20);
    expect((await compiled.run(slowFeeds))["y"].shape).toEqual([]);
    await expect(compiled.run(slowFeeds, undefined, { signal: controller.signal })).rejects.toThrow("stop");
    await compiled.dispose();
  });

  const child = (
    ending: string,
  ): { readonly status: number | null; readonly stdout: string; readonly stderr: string } => {
    const url = (path: string): string => JSON.stringify(new URL(`../../kernel/lib/${path}`, import.meta.url).href);
    const script = `
      import { OrtEngine } from ${url("host/session.js")};
      import { build, input } from ${url("graph/index.js")};
      import { Tensor } from ${url("tensor/index.js")};
      let y = input("x", "float32", [700, 700]);
      for (let i = 0; i < 24; i++) y = build.matMul(y, build.mul(y, 1 / (i + 2)));
      const compiled = await new OrtEngine("cpu").compile({ y: build.reduceSum(y) });
      const controller = new AbortController();
      const feeds = { x: new Tensor("float32", [700, 700], new Float32Array(490000)) };
      const run = compiled.run(feeds, undefined, { signal: controller.signal });
      setTimeout(() => { ${ending} }, 20);
      await run.catch((error) => console.log(error.message));
      console.log("end");
    `;
    return spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", timeout: 30_000 });
  };

  it("does not keep a finished process alive, nor crash one whose run was given up", () => {
    expect(child('controller.abort(new Error("stop"))')).toMatchObject({
      stderr: "",
      stdout: "stop\nend\n",
      status: 0,
    });
  });

  it("does not even have to be loaded to be given up", async () => {
    class StuckThread extends EngineThread {
      override ask(): ReturnType<EngineThread["ask"]> {
        return new Promise(() => undefined);
      }
    }
    const stuck = new OrtEngine("cpu", { thread: new StuckThread() });
    const controller = new AbortController();
    const compiled = stuck.compile({ y: doubled() }, { signal: controller.signal });
    controller.abort(new Error("stop"));
    await expect(compiled).rejects.toThrow("stop");
  });

  it("does not crash a process that exits meanwhile", () => {
    expect(child("process.exit(3)")).toMatchObject({ stderr: "", stdout: "", status: 3 });
  });
});
