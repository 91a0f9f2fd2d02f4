import { expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant, input, programOf, repeat, structureOf, weight } from "../../kernel/lib/graph/index.js";
import { tensor } from "../../kernel/lib/tensor/index.js";

const of = (y: Value, name = "y"): string | undefined => structureOf(programOf({ [name]: y }));
const x = (): Value => input("x", "float32", ["n", 2]);

function stored(version: string): Value {
  const place = { path: "/model/weights", offset: 8, sizeBytes: 8, version } as const;
  return weight("float32", [2], { name: "w", storage: "float32", ...place });
}

it("is equal for equal graphs, however often a value was made", () => {
  const once = x();
  expect(of(build.add(build.mul(once, 2), once))).toBe(of(build.add(build.mul(x(), 2), x())));
});

it("tells apart what a file would tell apart", () => {
  const others = [
    build.mul(x(), 2),
    build.mul(x(), 3),
    build.div(x(), 0),
    build.div(x(), -0),
    build.mul(x(), x()),
    build.mul(input("z", "float32", ["n", 2]), 2),
    build.mul(input("x", "float32", ["m", 2]), 2),
    build.mul(input("x", "float64", ["n", 2]), 2),
    build.named("here", build.mul(x(), 2)),
    build.mul(x(), stored("1")),
    build.mul(x(), stored("2")),
    build.reduceSum(x(), [0]),
    build.reduceSum(x(), [1]),
  ].map((value) => of(value));
  const all = [...others, of(build.mul(x(), 2), "other")];
  expect(new Set(all).size).toBe(all.length);
  expect(all).not.toContain(undefined);
});

it("is not made of large constants and loops, whose texts would cost as much as their files", () => {
  expect(of(build.add(input("x", "float32", [65]), constant(tensor(new Array<number>(65).fill(1)))))).toBeUndefined();
  const { last } = repeat(3, { sum: build.scalar(0) }, ({ sum }) => ({ next: { sum: build.add(sum, 1) } }));
  expect(of(last.sum)).toBeUndefined();
});
