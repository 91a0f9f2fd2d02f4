import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodes, openSession, type Session } from "./session.js";
import { bestOf } from "../budget.js";

describe.each(nodes)("loop guards on $label", ({ path }) => {
  let session: Session;
  beforeAll(async () => void (session = await openSession(path)));
  afterAll(() => session.close());

  const endless: Readonly<Record<string, string>> = {
    "while (true)": "while (true);",
    "for (;;) in a function": "function spin() { for (;;) {} } spin()",
    "do … while": "do {} while (true)",
    "for … of an endless generator": "function* ones() { while (true) yield 1 } for (const one of ones()) one;",
    "a labelled loop": "again: while (true) { for (;;) continue again }",
    "a callback": "[1].forEach(() => { while (true); })",
    "a method, a getter, a static block": "class Spin { static { while (true); } }",
    "a loop that awaits": "while (true) await new Promise((resolve) => setTimeout(resolve, 5))",
    "for await": "for await (const v of (async function* () { while (true) yield 1 })()) v;",
    "a loop around a loop that only counts": "let w = 0; while (true) for (let i = 0; i < 1000; i++) w += Math.sqrt(i)",
    "a counting loop that never ends, in another": "for (let o = 0; o < 2; o++) for (let i = 0; true; i++) i;",
    "a loop around try and catch": "while (true) { try { for (;;); } catch {} }",
  };

  it.each(Object.entries(endless))("an interrupt ends %s", async (_name, cell) => {
    const { error } = await session.run(`begun(); ${cell}`, { interruptAfterMs: 200 });
    expect(error).toMatchObject({ ename: "InterruptError", evalue: "interrupted" });
    expect(await session.value("1 + 1")).toBe("2");
  });

  it("runs finally blocks, with loops in them, and keeps state", async () => {
    const cell =
      "begun(); let undone = 0; try { while (true); } finally { for (let i = 0; i < 1000; i++) undone += 1 }";
    expect((await session.run(cell, { interruptAfterMs: 200 })).error?.ename).toBe("InterruptError");
    expect(await session.value("undone")).toBe("1000");
  });

  it("ends a forgotten asynchronous loop, however slow its turns are", async () => {
    await session.value(
      "let ticks = 0; void (async () => { while (true) { ticks++; await new Promise((r) => setTimeout(r, 20)) } })(); 0",
    );
    await session.run("begun(); while (true);", { interruptAfterMs: 200 });
    const before = Number(await session.value("await new Promise((r) => setTimeout(r, 60)); ticks"));
    expect(Number(await session.value("await new Promise((r) => setTimeout(r, 100)); ticks"))).toBe(before);
    expect(await session.value("late")).toBe("[ 'InterruptError: interrupted' ]");
  });

  it("shows the loop as the place of the interrupt", async () => {
    const { error } = await session.run("begun();\nfunction spinHere() {\n  while (true) {}\n}\nspinHere()", {
      interruptAfterMs: 200,
    });
    expect(error?.traceback[1]).toMatch(/at spinHere .*\.ts:3:3/);
    expect(error?.traceback[2]).toMatch(/\.ts:5:1/);
  });

  it("costs nested numeric loops little", async () => {
    const product =
      "let s = 0; for (let i = 0; i < 300; i++) for (let j = 0; j < 300; j++) " +
      "for (let k = 0; k < 300; k++) s += a[i * 300 + k] * a[k * 300 + j]; return s";
    const setUp = "const a = new Float64Array(90000).fill(0.5);";
    const times = { bare: Infinity, guarded: Infinity };
    await bestOf(2, async () => {
      const bare = await session.run(`new Function(${JSON.stringify(`${setUp} ${product}`)})()`);
      const guarded = await session.run(`(() => { ${setUp} ${product} })()`);
      times.bare = Math.min(times.bare, bare.durationMs);
      times.guarded = Math.min(times.guarded, guarded.durationMs);
      return times.guarded / times.bare;
    });
    console.log(`matrix product: bare ${times.bare.toFixed(0)} ms, guarded ${times.guarded.toFixed(0)} ms`);
    expect(times.guarded / times.bare).toBeLessThan(2);
  });

  it("lets a top-level loop run at the speed of one in a function", async () => {
    const loop = "for (let i = 0; i < 2e7; i++) { SUM += i % 7 }";
    const inFunction = `(function () { let s = 0; ${loop.replace("SUM", "s")} return s })()`;
    const bare = `new Function(${JSON.stringify(`let s = 0; ${loop.replace("SUM", "s")} return s`)})()`;
    const times = { bare: Infinity, inFunction: Infinity, topLevel: Infinity };
    await bestOf(3, async (turn) => {
      times.bare = Math.min(times.bare, (await session.run(bare)).durationMs);
      times.inFunction = Math.min(times.inFunction, (await session.run(inFunction)).durationMs);
      times.topLevel = Math.min(
        times.topLevel,
        (await session.run(`let s${turn} = 0; ${loop.replace("SUM", `s${turn}`)} s${turn}`)).durationMs,
      );
      return Math.max(times.topLevel, times.inFunction) / times.bare;
    });
    const perTurnNs = ((times.inFunction - times.bare) / 2e7) * 1e6;
    console.log(
      `bare ${times.bare.toFixed(0)} ms, guarded ${times.inFunction.toFixed(0)} ms (${perTurnNs.toFixed(2)} ns a turn), ` +
        `top level ${times.topLevel.toFixed(0)} ms`,
    );
    expect(times.topLevel / times.bare).toBeLessThan(3);
    expect(times.inFunction / times.bare).toBeLessThan(4);
  });
});
