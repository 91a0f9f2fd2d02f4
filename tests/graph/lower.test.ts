import { describe, expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant, evaluate, halfProducts, input, lower, programOf } from "../../kernel/lib/graph/index.js";
import { Tensor, tensor } from "../../kernel/lib/tensor/index.js";

/** Operators that a graph is made of, casts left out. */
function operatorsOf(outputs: Readonly<Record<string, Value>>): string[] {
  return [...new Set(programOf(outputs).values.map(({ op }) => op))].filter((op) => op && op !== "Cast");
}

/** The graph on a device that lacks operators by name. */
function without(outputs: Record<string, Value>, ...ops: readonly string[]): Readonly<Record<string, Value>> {
  return lower(outputs, { device: "toy", lacks: ({ op }) => ops.includes(op) });
}

describe("an operator that a device lacks", () => {
  const bools = { a: tensor([0, 0, 1, 1], "bool"), b: tensor([0, 1, 0, 1], "bool") };
  const [a, b] = [input("a", "bool", [4]), input("b", "bool", [4])];

  it("is written in others: or by De Morgan", () => {
    const lowered = without({ y: build.or(a, b) }, "Or");
    expect(operatorsOf(lowered)).not.toContain("Or");
    expect([...evaluate(lowered, bools)["y"].data]).toEqual([0, 1, 1, 1]);
  });

  it("is written in others: sign and size of whole numbers", () => {
    const x = input("x", "int32", [3]);
    const lowered = without({ minus: build.neg(x), size: build.abs(x) }, "Neg", "Abs");
    expect(operatorsOf(lowered).sort()).toEqual(["Less", "Sub", "Where"]);
    const { minus, size } = evaluate(lowered, { x: tensor([-3, 0, 5], "int32") });
    expect([[...minus.data], [...size.data]]).toEqual([[3, 0, -5], [3, 0, 5]]); // prettier-ignore
  });

  it("is written in others: rounding, to even where it is undecided", () => {
    const x = input("x", "float32", ["n"]);
    const lowered = without({ y: build.round(x) }, "Round");
    const values = tensor([-2.5, -1.5, -0.6, -0.5, 0.5, 1.5, 2.5, 2.51, 7, 8388609]);
    expect([...evaluate(lowered, { x: values })["y"].data].map((y) => y + 0)).toEqual([
      ...[-2, -2, -1, 0, 0, 2, 2, 3, 7, 8388609],
    ]);
  });

  it("is written in others: sine and cosine, far from 0 too", () => {
    const x = input("x", "float32", ["n"]);
    const lowered = without({ sine: build.sin(x), cosine: build.cos(x) }, "Sin", "Cos");
    expect(operatorsOf(lowered)).not.toContain("Sin");
    const angles = Array.from({ length: 4001 }, (_, i) => Math.fround((i - 2000) * 0.37 * (1 + (i % 7) * 8)));
    expect(Math.max(...angles)).toBeGreaterThan(3e4);
    const { sine, cosine } = evaluate(lowered, { x: tensor(angles) });
    const worst = (got: Float64Array, exact: (x: number) => number): number =>
      angles.reduce((max, angle, i) => Math.max(max, Math.abs(got[i] - exact(angle))), 0);
    expect(worst(sine.data, Math.sin)).toBeLessThan(1e-8);
    expect(worst(cosine.data, Math.cos)).toBeLessThan(1e-8);
  });

  it("is written in others: gelu in both forms", () => {
    const x = input("x", "float32", ["n"]);
    const whole = { exact: build.gelu(x), near: build.gelu(x, "tanh") };
    const lowered = without(whole, "Gelu");
    expect(operatorsOf(lowered)).not.toContain("Gelu");
    const values = { x: tensor([-40, -3, -0.5, 0, 1e-4, 0.7, 5, 40]) };
    const [got, expected] = [evaluate(lowered, values), evaluate(whole, values)];
    for (const name of ["exact", "near"]) {
      got[name].data.forEach((y, i) => expect(y).toBeCloseTo(expected[name].data[i], 7));
    }
    expect(() => build.gelu(input("i", "int32", [1]))).toThrow("Gelu: expected a float operand, got int32");
  });

  it("works on wider elements where it only moves them", () => {
    const joined = build.concat([a, build.slice(b, 0, 1, 3)], 0);
    const lowered = lower(
      { y: joined },
      { device: "toy", lacks: ({ op, inputs }) => ["Concat", "Slice"].includes(op) && inputs[0].dtype === "bool" },
    );
    expect(lowered["y"].dtype).toBe("bool");
    expect([...evaluate(lowered, bools)["y"].data]).toEqual([0, 0, 1, 1, 1, 0]);
  });

  it("keeps the label of what it stands for, by which messages name it", () => {
    expect(without({ y: build.named("hidden", build.or(a, b)) }, "Or")["y"].label).toBe("hidden");
  });

  it("is an error with its types and its use where nothing stands for it", () => {
    const x = input("x", "float32", ["n"]);
    const y = build.exp(build.named("blocks.0.mlp", build.tanh(x)));
    expect(() => without({ y }, "Tanh")).toThrow(
      'compile: toy has no kernel for Tanh (float32 → float32), used for "blocks.0.mlp"; use device "cpu"',
    );
    expect(() => without({ y }, "Tanh", "Exp")).toThrow("nor for Exp (float32 → float32)");
  });
});

describe("a device that counts in 32 bits", () => {
  const lacks = ({ op, dtype, inputs }: Value): boolean =>
    op !== "Cast" && !op.endsWith("ND") && [dtype, ...inputs.map((x) => x.dtype)].includes("int64");
  const narrow = (outputs: Record<string, Value>): Readonly<Record<string, Value>> =>
    lower(outputs, { device: "toy", lacks });

  it("gets whole numbers as int32, except as indices, which are widened where they are used", () => {
    const i = input("i", "int64", [2, 1]);
    const shifted = build.add(i, constant(tensor([[1], [0]], "int64")));
    const rows = build.gatherND(input("x", "float32", [3]), shifted);
    const lowered = narrow({ rows, shifted });
    expect(lowered["shifted"].dtype).toBe("int32");
    expect(
      programOf(lowered)
        .inputs.map(({ dtype }) => dtype)
        .sort(),
    ).toEqual(["float32", "int32"]);
    const results = evaluate(lowered, { i: tensor([[1], [0]], "int32"), x: tensor([5, 6, 7]) });
    expect([[...results["rows"].data], [...results["shifted"].data]]).toEqual([[7, 5], [2, 0]]); // prettier-ignore
  });

  it("refuses numbers that need more", () => {
    const large = new Tensor("int64", [1], BigInt64Array.of(3_000_000_000n));
    expect(() => narrow({ y: build.add(input("i", "int64", [1]), constant(large)) })).toThrow("holds 3000000000");
  });
});

describe("float16 products", () => {
  it("are widened again, so that all else stays in float32", () => {
    const x = input("x", "float32", [2, 3]);
    const scores = build.named("scores", build.matMul(x, build.transpose(x, [1, 0])));
    const halved = halfProducts({ y: build.softmax(scores, 1), scores });
    const products = programOf(halved).values.filter(({ op }) => op === "MatMul");
    expect(products.map(({ dtype }) => dtype)).toEqual(["float16"]);
    expect([halved["scores"].dtype, halved["scores"].label, halved["y"].dtype]).toEqual([
      "float32",
      "scores",
      "float32",
    ]);
  });
});
