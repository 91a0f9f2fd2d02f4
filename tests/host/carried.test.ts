import { describe, expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, input } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { tensor } from "../../kernel/lib/tensor/index.js";

const engine = new OrtEngine("cpu");

/** A sum that goes on, and its square. */
function counting(): Record<string, Value> {
  const sum = build.add(input("sum", "float32", []), input("x", "float32", []));
  return { next: sum, square: build.mul(sum, sum) };
}

describe("state that stays with the engine", () => {
  it("is replaced after each run, and read when asked", async () => {
    const compiled = await engine.compile(counting());
    const carried = await compiled.carry({ sum: "next" }, { sum: tensor(1) });
    const squares: number[] = [];
    for (const x of [1, 2, 3]) {
      const results = await carried.run({ x: tensor(x) });
      expect(Object.keys(results)).toEqual(["square"]);
      squares.push(results["square"].item());
    }
    expect(squares).toEqual([4, 16, 49]);
    expect((await carried.read())["sum"].item()).toBe(7);
    await carried.dispose();
    await compiled.dispose();
  });

  it("grows where its axis is a word, and is answered beside when asked", async () => {
    const kept = input("kept", "float32", ["n"]);
    const compiled = await engine.compile({ all: build.concat([kept, input("x", "float32", [1])], 0) });
    const carried = await compiled.carry({ kept: "all" }, { kept: tensor([1]) });
    for (const x of [2, 3]) await carried.run({ x: tensor([x]) }, []);
    expect([...(await carried.run({ x: tensor([4]) }, ["all"]))["all"].data]).toEqual([1, 2, 3, 4]);
    expect([...(await carried.read())["kept"].data]).toEqual([1, 2, 3, 4]);
    await carried.dispose();
    await compiled.dispose();
  });

  it("gives its inputs back when it ends, whose memory it had", async () => {
    const compiled = await engine.compile(counting());
    const carried = await compiled.carry({ sum: "next" }, { sum: tensor(1) });
    await carried.run({ x: tensor(2) });
    await expect(carried.end(["summ"])).rejects.toThrow('unknown input "summ"; did you mean "sum"?');
    expect((await carried.end(["sum"]))["sum"].item()).toBe(3);
    await expect(carried.run({ x: tensor(1) })).rejects.toThrow("disposed of");
    await carried.dispose();

    const given = tensor(Array.from({ length: 2 ** 19 }, (_, i) => i));
    const long = await engine.compile({ twice: build.mul(input("x", "float32", ["n"]), 2) });
    const held = await long.carry({}, {}, { kept: { x: given }, gives: ["x"] });
    expect(given.data.length).toBe(0);
    expect((await held.run({}))["twice"].data[5]).toBe(10);
    const { x: back } = await held.end(["x"]);
    expect([back.shape, back.data.length, back.data[2 ** 19 - 1]]).toEqual([[2 ** 19], 2 ** 19, 2 ** 19 - 1]);
    await Promise.all([compiled.dispose(), long.dispose()]);
  });

  it("leaves the first tensors whole, and two states of one graph apart", async () => {
    const compiled = await engine.compile(counting());
    const first = tensor(10);
    const [a, b] = await Promise.all([
      compiled.carry({ sum: "next" }, { sum: first }),
      compiled.carry({ sum: "next" }, { sum: first }),
    ]);
    await Promise.all([a.run({ x: tensor(1) }), b.run({ x: tensor(5) }), a.run({ x: tensor(1) })]);
    expect((await a.read())["sum"].item()).toBe(12);
    expect((await b.read())["sum"].item()).toBe(15);
    expect(first.item()).toBe(10);
    await Promise.all([a.dispose(), b.dispose()]);
    await compiled.dispose();
  });

  it("survives a run that fails and one that is interrupted", async () => {
    const compiled = await engine.compile(counting());
    const carried = await compiled.carry({ sum: "next" }, { sum: tensor(1) });
    await expect(carried.run({ x: tensor([1]) })).rejects.toThrow('input "x" must be [] float32, got [1] float32');
    const controller = new AbortController();
    const going = carried.run({ x: tensor(1) }, ["square"], { signal: controller.signal });
    const waiting = carried.run({ x: tensor(100) }, ["square"], { signal: controller.signal });
    controller.abort(new Error("stopped"));
    await expect(going).rejects.toThrow("stopped");
    await expect(waiting).rejects.toThrow("stopped");
    expect([1, 2]).toContain((await carried.read())["sum"].item());
    await carried.dispose();
    await carried.dispose();
    await expect(carried.run({ x: tensor(1) })).rejects.toThrow("run: this state was disposed of");
    await compiled.dispose();
  });

  it("refuses names that do not fit", async () => {
    const compiled = await engine.compile(counting());
    await expect(compiled.carry({ sun: "next" }, {})).rejects.toThrow('unknown input "sun"; did you mean "sum"?');
    await expect(compiled.carry({ sum: "nexd" }, {})).rejects.toThrow('unknown output "nexd"; did you mean "next"?');
    await expect(compiled.carry({ sum: "next" }, {})).rejects.toThrow('carry: no first value for "sum"');
    await expect(compiled.carry({ sum: "next" }, { sum: tensor(1), x: tensor(1) })).rejects.toThrow(
      'carry: "x" is not carried',
    );
    const carried = await compiled.carry({ sum: "next" }, { sum: tensor(1) });
    await expect(carried.run({ sum: tensor(1), x: tensor(1) })).rejects.toThrow('input "sum" is carried');
    await carried.dispose();
    const x = input("x", "float32", [1]);
    const cast = await engine.compile({ y: build.cast(x, "int32") });
    await expect(cast.carry({ x: "y" }, { x: tensor([1]) })).rejects.toThrow(
      'carry: input "x" is float32, what replaces it is int32',
    );
    await Promise.all([compiled.dispose(), cast.dispose()]);
  });
});
