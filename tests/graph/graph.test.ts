import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { bindShape, broadcastShapes, productOf, sumOf } from "../../kernel/graph/dims.js";
import type { Value } from "../../kernel/graph/index.js";
import {
  activationBytes,
  build,
  constant,
  encodeOnnx,
  evaluate,
  gradients,
  input,
  programOf,
  weight,
} from "../../kernel/graph/index.js";
import { linearise } from "../../kernel/graph/order.js";
import { ModelProtoSchema } from "../../kernel/graph/proto/onnx_pb.js";
import { Tensor, tensor } from "../../kernel/tensor/index.js";

const x = input("x", "float32", ["batch", "query", 12]);

describe("symbolic shapes", () => {
  it("multiply as products of words", () => {
    expect(productOf(["query", 3, "batch", 4])).toBe("12*batch*query");
    expect(productOf([2, 3])).toBe(6);
    expect(productOf(["batch", 0])).toBe(0);
    expect(bindShape("x", ["2*batch", 3], { batch: 5 })).toEqual([10, 3]);
    expect(() => bindShape("here", ["query"], {})).toThrow('here: no input gives the size of axis "query"');
  });

  it("add up as sums of words", () => {
    expect(sumOf(["past", 1, 2])).toBe("(past+3)");
    expect(sumOf(["(past+3)", "2*query"])).toBe("(2*query+past+3)");
    expect(sumOf([2, 3])).toBe(5);
    expect(sumOf(["past", 0])).toBe("past");
    expect(bindShape("x", [productOf(["(2*query+past+3)", "batch"])], { batch: 5, query: 2, past: 1 })).toEqual([40]);
    const grown = build.concat([input("kept", "float32", ["n"]), input("x", "float32", [1])], 0);
    expect(activationBytes(programOf({ grown }), { n: 7 })).toBe(32);
  });

  it("broadcast where they are equal or 1, and nowhere else", () => {
    expect(broadcastShapes("Add", ["batch", 1, 5], [3, 1])).toEqual(["batch", 3, 5]);
    expect(() => broadcastShapes("Add", ["query"], ["key"])).toThrow(
      "Add: shapes [query] and [key] do not broadcast, got query and key at axis -1",
    );
  });
});

describe("an error in shapes is thrown where the node is made", () => {
  it.each<[() => unknown, string]>([
    [
      () => build.matMul(x, input("w", "float32", [13, 4])),
      "MatMul: inner axes differ, got 12 and 13 ([batch,query,12] and [13,4])",
    ],
    [
      () => build.reshape(x, ["batch", "query", 3, 5]),
      "Reshape: [batch,query,12] and [batch,query,3,5] hold different numbers",
    ],
    [() => build.transpose(x, [0, 1]), "Transpose: expected a permutation of the axes of [batch,query,12], got [0,1]"],
    [() => build.add(x, input("i", "int32", [12])), "Add: operands differ in dtype, got float32 and int32"],
    [() => build.softmax(x, 3), "Softmax: expected an axis in -3 … 2, got 3"],
    [() => build.slice(x, 2, 3, 13), "Slice: 3 … 13 does not lie in axis 2 of [batch,query,12]"],
    [() => build.squeeze(x, [2]), "Squeeze: axis 2 of [batch,query,12] is not 1"],
    [() => build.gather(x, x, 0), "Gather: indices must be int32 or int64, got float32"],
    [() => build.where(x, 1, x), "Where: the condition must be bool, got float32"],
    [() => build.exp(input("i", "int32", [])), "Exp: expected a float operand, got int32"],
    [
      () => build.layerNormalization(x, constant(tensor([1])), constant(tensor([1])), 0),
      "must have the last axis of [batch,query,12], got [1] and [1]",
    ],
    [
      () => build.concat([x, input("y", "float32", ["batch", 2, 5])], 1),
      "parts must agree in dtype and in every axis but 1",
    ],
    [() => build.apply("MatMull", [x]), 'unknown operator "MatMull"; did you mean "MatMul"?'],
    [() => build.apply("Softmax", [x], { axes: 1 }), 'Softmax: unknown attribute "axes"; did you mean "axis"?'],
    [() => build.apply("Add", [x]), "Add: expected 2 operands, got 1"],
    [() => build.add(1, 2), "Add: at least one operand must be a value"],
    [() => gradients(x, [x]), "gradients: the loss must be a float scalar, got [batch,query,12] float32"],
  ])("case %#", (make, message) => expect(make).toThrow(message));
});

describe("a program", () => {
  it("holds what the outputs reach, equal values once", () => {
    const twice = build.mul(build.exp(x), 2);
    const again = build.mul(build.exp(x), 2);
    build.sin(x);
    const { values, outputs } = programOf({ a: twice, b: again, c: build.mul(build.exp(x), 3) });
    expect(values.map(({ op }) => op).filter(Boolean)).toEqual(["Exp", "Mul", "Mul"]);
    expect(outputs["a"]).toBe(outputs["b"]);
  });

  it("orders a chain of 100 000 operators without overflowing the stack", () => {
    let y = input("y", "float32", []);
    for (let i = 0; i < 100_000; i++) y = build.neg(y);
    expect(linearise([y])).toHaveLength(100_001);
  });

  it("refuses two inputs of one name", () => {
    expect(() => programOf({ y: build.add(input("x", "float32", [1]), input("x", "float32", [2])) })).toThrow(
      'two inputs are called "x"',
    );
  });

  it("knows the most memory that is alive at once", () => {
    const y = input("y", "float32", ["n"]);
    const chain = programOf({ out: build.neg(build.exp(build.neg(y))) });
    expect(activationBytes(chain, { n: 100 })).toBe(800);
    const kept = programOf({ a: build.neg(y), b: build.exp(y), c: build.abs(y) });
    expect(activationBytes(kept, { n: 100 })).toBe(1200);
  });
});

describe("gradients", () => {
  it("are zero where the loss does not depend on a value, and skip what needs none", () => {
    const y = input("y", "float32", [2]);
    const [byX, byY] = gradients(build.reduceSum(build.mul(y, y)), [input("z", "float32", [3]), y]);
    const got = evaluate({ byX: byX, byY: byY }, { y: tensor([1, 2]) });
    expect([[...got["byX"].data], [...got["byY"].data]]).toEqual([[0, 0, 0], [2, 4]]); // prettier-ignore
  });

  it("can be taken twice", () => {
    const y = input("y", "float64", []);
    const [first] = gradients(build.mul(y, build.mul(y, y)), [y]);
    const [second] = gradients(first, [y]);
    expect(evaluate({ second: second }, { y: tensor(5, "float64") })["second"].data[0]).toBeCloseTo(30, 12);
  });

  it("of neighbouring slices are joined, and of others added", () => {
    const whole = input("whole", "float32", [2, 6]);
    const part = (start: number, end: number, factor: number): Value =>
      build.reduceSum(build.mul(build.slice(whole, 1, start, end), factor));
    const slopes = (...parts: Value[]): Record<string, Value> => ({
      y: gradients(
        parts.reduce((a, b) => build.add(a, b)),
        [whole],
      )[0],
    });
    const operators = (outputs: Record<string, Value>): unknown[] => programOf(outputs).values.map(({ op }) => op);
    const row = (outputs: Record<string, Value>): number[] => [
      ...evaluate(outputs, { whole: tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]]) }).y.data.slice(0, 6), // prettier-ignore
    ];
    const all = slopes(part(0, 2, 1), part(2, 3, 2), part(3, 6, 3));
    expect(row(all)).toEqual([1, 1, 2, 3, 3, 3]);
    expect(operators(all)).not.toContain("Pad");
    const inside = slopes(part(3, 5, 3), part(1, 3, 2));
    expect(row(inside)).toEqual([0, 2, 2, 3, 3, 0]);
    expect(operators(inside).filter((op) => op === "Pad")).toHaveLength(1);
    expect(row(slopes(part(0, 3, 1), part(2, 4, 5)))).toEqual([1, 1, 6, 5, 0, 0]);
    expect(row(slopes(part(0, 1, 1), part(4, 6, 5)))).toEqual([1, 0, 0, 0, 5, 5]);
  });

  it("of symbolic shapes reduce over them", () => {
    const w = input("w", "float64", [3]);
    const y = input("y", "float64", ["batch", 3]);
    const [d] = gradients(build.reduceMean(build.mul(y, w)), [w]);
    const rows = new Tensor("float64", [2, 3], Float64Array.of(1, 2, 3, 4, 5, 6));
    const got = evaluate({ d: d }, { y: rows, w: tensor([1, 1, 1], "float64") })["d"];
    [5 / 6, 7 / 6, 9 / 6].forEach((expected, i) => expect(got.data[i]).toBeCloseTo(expected, 12));
  });
});

describe("the ONNX model of a graph", () => {
  const decode = (outputs: Parameters<typeof programOf>[0]) =>
    fromBinary(ModelProtoSchema, encodeOnnx(programOf(outputs)).bytes);

  it("states its opset, keeps axis words and tells where each node came from", () => {
    const q = build.named("blocks.0.attn.q", build.transpose(build.reshape(x, ["batch", "query", 3, 4]), [0, 2, 1, 3]));
    const model = decode({ out: build.exp(q) });
    expect(model.opsetImport.map(({ version }) => version)).toEqual([21n]);
    expect(model.graph!.node.map(({ name }) => name)).toEqual([
      "blocks.0.attn.q/Reshape.0",
      "blocks.0.attn.q/Transpose.1",
      "graph/Exp.2",
    ]);
    const type = model.graph!.output[0].type!.value;
    const dims = type.case === "tensorType" ? type.value.shape!.dim.map(({ value }) => value.value) : [];
    expect(dims).toEqual(["batch", 3n, "query", 4n]);
  });

  it("points at a weight's bytes in its own file instead of holding them", () => {
    const source = {
      name: "w",
      path: "/models/a/model.safetensors",
      offset: 4096,
      sizeBytes: 24,
      storage: "bfloat16",
      version: "",
    } as const;
    const w = weight("float32", [12], source);
    const { bytes, folder } = encodeOnnx(programOf({ y: build.add(x, w) }));
    const { initializer, node } = fromBinary(ModelProtoSchema, bytes).graph!;
    expect(folder).toBe("/models/a");
    expect(initializer.map(({ externalData }) => externalData.map(({ key, value }) => `${key}=${value}`))).toEqual([
      ["location=model.safetensors", "offset=4096", "length=24"],
    ]);
    expect(node.map(({ opType }) => opType)).toEqual(["Cast", "Add"]);
    expect(() => weight("float32", [13], source)).toThrow(
      'weight: "w" has 24 bytes but shape [13] of bfloat16 needs 26',
    );
  });
});
