import { create, toBinary } from "@bufbuild/protobuf";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import {
  build,
  constant,
  decodeOnnx,
  encodeOnnx,
  evaluate,
  gradients,
  input,
  inputName,
  programOf,
  weight,
} from "../../kernel/lib/graph/index.js";
import { ModelProtoSchema, NodeProtoSchema, TensorProtoSchema } from "../../kernel/lib/graph/proto/onnx_pb.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import type { DType } from "../../kernel/lib/tensor/index.js";
import {
  einsum,
  FormatError,
  packNumbers,
  random,
  sizeOf,
  Tensor,
  tensor,
  UnsupportedError,
} from "../../kernel/lib/tensor/index.js";
import { samples } from "../conformance/samples.js";

const engine = new OrtEngine("cpu");
const oracles = fileURLToPath(new URL("../oracles/onnx/", import.meta.url));
const filesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".onnx"))
    .map((name) => join(folder, name));
const encode = (outputs: Readonly<Record<string, Value>>): Uint8Array => encodeOnnx(programOf(outputs)).bytes;
const bytesOfFile = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

function feedsOf(inputs: readonly Value[], sizes: Readonly<Record<string, number>> = {}): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.map((value, n) => {
      const shape = value.shape.map((dim) => (typeof dim === "number" ? dim : (sizes[dim] ?? 3)));
      const values = Array.from({ length: sizeOf(shape) }, (_, i) =>
        value.dtype.startsWith("float") ? Math.fround(0.1 + (((i + n) * 37) % 101) / 50) : (i + n) % 2,
      );
      return [inputName(value), new Tensor(value.dtype, shape, packNumbers(value.dtype, values))];
    }),
  );
}

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < got.length; i++) {
    expect(Math.abs(got[i] - expected[i]) / Math.max(1, Math.abs(expected[i]))).toBeLessThanOrEqual(tolerance);
  }
}

describe("real ONNX files", () => {
  it.each(filesIn(oracles).map((path) => [basename(path, ".onnx"), path]))(
    "%s runs as the original does",
    async (_, path) => {
      const original = bytesOfFile(path);
      const { inputs, outputs } = decodeOnnx(original);
      const feeds = feedsOf(inputs);
      const session = await ort.InferenceSession.create(original);
      const expected = await session.run(
        Object.fromEntries(Object.entries(feeds).map(([name, { dtype, shape, data }]) => [name, new ort.Tensor(dtype, data.slice(), shape)])), // prettier-ignore
      );
      const compiled = await engine.compile(outputs);
      const got = await compiled.run(feeds);
      const reference = evaluate(outputs, feeds);
      for (const name of Object.keys(outputs)) {
        const { type, dims, data } = expected[name];
        expect([got[name].dtype, got[name].shape]).toEqual([type as DType, [...dims]]);
        const numbers = Array.from(data as ArrayLike<number | bigint>, Number);
        expectClose(got[name].numbers(), numbers, 2e-6);
        expectClose(reference[name].data, numbers, 2e-6);
      }
      await Promise.all([compiled.dispose(), session.release()]);
    },
  );

  it.each([
    ["lppool_1d_default", "(LpPool): this operator is not known; known: Add, Sub"],
    ["averagepool_2d_pads", "(AveragePool): means that leave the padding out are not handled"],
    ["lstm_defaults", "(LSTM) has 2 outputs; expected 1"],
    ["expand_dim_changed", '(Expand): operand "new_shape" is known only when the graph runs'],
  ])("%s is refused with the reason", (name, reason) => {
    const decode = (): unknown => decodeOnnx(bytesOfFile(join(oracles, "refused", `${name}.onnx`)), { place: name });
    expect(decode).toThrow(UnsupportedError);
    expect(decode).toThrow(reason);
    expect(decode).toThrow(`${name}: node "`);
  });
});

/** Attention over prompts of any length, with what a model file needs: reshapes by symbolic sizes, masks, a gather. */
function attention(): Record<string, Value> {
  const ids = input("ids", "int32", ["batch", "query"]);
  const table = constant(random(1).normal([7, 6]));
  const x = build.named("embed", build.gather(table, ids, 0));
  const heads = build.transpose(build.reshape(x, ["batch", "query", 2, 3]), [0, 2, 1, 3]);
  const scores = build.einsum("bhqd,bhkd->bhqk", heads, heads);
  const mask = build.unsqueeze(build.greater(ids, 0), [1, 2]);
  const pattern = build.named("pattern", build.softmax(build.where(mask, scores, -1e9), 3));
  const z = build.transpose(build.matMul(pattern, heads), [0, 2, 1, 3]);
  const flat = build.reshape(build.expand(build.reshape(z, ["batch", "query", 6]), [2, "batch", "query", 6]), ["2*batch*query", 6]); // prettier-ignore
  return { pattern, flat, sum: build.reduceSum(flat, [0], true) };
}

describe("decode of our own files", () => {
  it("gives back the same graph, and the same bytes from then on", () => {
    const graph = attention();
    const decoded = decodeOnnx(encode(graph));
    expect(decoded.inputs.map(({ shape, dtype }) => [shape, dtype])).toEqual([[["batch", "query"], "int32"]]);
    for (const [name, { shape, dtype }] of Object.entries(graph)) {
      expect([decoded.outputs[name].shape, decoded.outputs[name].dtype]).toEqual([shape, dtype]);
    }
    const feeds = { ids: tensor([[1, 6, 0], [2, 2, 5]], "int32") }; // prettier-ignore
    expect(evaluate(decoded.outputs, feeds)).toEqual(evaluate(graph, feeds));
    const again = encode(decoded.outputs);
    expect(encode(decodeOnnx(again).outputs)).toEqual(again);
  });

  it.each(Object.keys(samples))("keeps %s", (op) => {
    for (const { operands, attributes } of samples[op]) {
      const leaves = operands.map(({ shape, dtype, values }, i) =>
        values ? constant(new Tensor(dtype, shape, packNumbers(dtype, values))) : input(`x${i}`, dtype, shape),
      );
      const graph = { y: build.apply(op, leaves, attributes) };
      const { inputs, outputs } = decodeOnnx(encode(graph));
      const feeds = feedsOf(inputs);
      expect([outputs["y"].shape, outputs["y"].dtype]).toEqual([graph.y.shape, graph.y.dtype]);
      // An epsilon is written as float32.
      expectClose(evaluate(outputs, feeds)["y"].data, evaluate(graph, feeds)["y"].data, 1e-9);
    }
  });

  it("leaves weights in their file, and reads a product with a transposed one back", async () => {
    const folder = mkdtempSync(join(tmpdir(), "attention-lab-onnx-"));
    try {
      const path = join(folder, "w.bin");
      const w = random(2).normal([5, 3]);
      writeFileSync(path, new Uint8Array(w.data.buffer));
      const x = input("x", "float32", ["token", 3]);
      const source = { name: "w", path, offset: 0, sizeBytes: 60, storage: "float32", version: "1" } as const;
      const graph = { y: build.matMul(x, build.transpose(weight("float32", [5, 3], source), [1, 0])) };
      const fused = encodeOnnx(programOf(graph), { fuseTransposed: true });
      const opsIn = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
      expect(opsIn(fused.bytes)).toContain("FusedMatMul");
      expect(opsIn(fused.bytes)).not.toContain("Transpose.");
      expect(opsIn(encode(graph))).not.toContain("FusedMatMul");
      expect(() => decodeOnnx(fused.bytes)).toThrow('tensor "%weight/1/w" lies in "w.bin"; pass { external }');
      const { outputs } = decodeOnnx(fused.bytes, { external: { folder, version: "1" } });
      const feeds = { x: random(3).normal([2, 3]) as Tensor };
      const expected = einsum("ti,oi->to", feeds.x, w as Tensor).numbers();
      for (const each of [graph, outputs]) {
        const compiled = await engine.compile(each);
        expectClose((await compiled.run(feeds))["y"].numbers(), expected, 1e-6);
        await compiled.dispose();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("einsum in graphs", () => {
  const cases: readonly (readonly [string, readonly (readonly number[])[]])[] = [
    [
      "bhqd,bhkd->bhqk",
      [
        [2, 3, 5, 4],
        [2, 3, 1, 4],
      ],
    ],
    [
      "bqhd,bkhd->bhqk",
      [
        [2, 5, 3, 4],
        [2, 2, 3, 4],
      ],
    ],
    [
      "bhqk,bkhd->bqhd",
      [
        [2, 3, 5, 2],
        [2, 2, 3, 4],
      ],
    ],
    [
      "ij,jk,kl->il",
      [
        [2, 3],
        [3, 5],
        [5, 2],
      ],
    ],
    ["i,j->ij", [[2], [3]]],
    ["i,i->", [[63], [63]]],
    [
      "ab,cd->db",
      [
        [2, 3],
        [5, 2],
      ],
    ],
    ["abc->ca", [[2, 3, 5]]],
    [
      "ab,ab->ab",
      [
        [2, 3],
        [2, 3],
      ],
    ],
    ["ab,b->a", [[2, 3], [3]]],
    [",ab->ba", [[], [2, 3]]],
    ["a,b,ab->", [[2], [3], [2, 3]]],
    ["ba", [[2, 3]]],
    ["ii->i", [[5, 5]]],
    ["ii", [[3, 3]]],
    ["iii->i", [[3, 3, 3]]],
    ["bii->ib", [[2, 5, 5]]],
    ["iijj->ij", [[3, 3, 2, 2]]],
    [
      "bqhd,bqhd,hh->bh",
      [
        [2, 3, 5, 1],
        [2, 3, 5, 1],
        [5, 5],
      ],
    ],
    [
      "ij,jj->i",
      [
        [2, 63],
        [63, 63],
      ],
    ],
  ];

  it.each(cases)("%s equals the loops, its gradient equals differences", (expression, shapes) => {
    const feeds = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, random(i).normal(shape, { dtype: "float64" }) as Tensor])); // prettier-ignore
    const leaves = shapes.map((shape, i) => input(`x${i}`, "float64", shape));
    const y = build.einsum(expression, ...leaves);
    const expected = einsum(expression, ...Object.values(feeds));
    const got = evaluate({ y }, feeds)["y"];
    expect([got.shape, y.shape]).toEqual([expected.shape, expected.shape]);
    expectClose(got.data, expected.numbers(), 1e-12);
    const loss = build.reduceSum(build.mul(y, y));
    const derivatives = evaluate(Object.fromEntries(gradients(loss, leaves).map((d, i) => [`x${i}`, d])), feeds);
    for (const [name, { shape, data }] of Object.entries(feeds)) {
      const at = (step: number): number => {
        const moved = (data as Float64Array).slice();
        moved[0] += step;
        return evaluate({ loss }, { ...feeds, [name]: new Tensor("float64", shape, moved) })["loss"].data[0];
      };
      expect(Math.abs(derivatives[name].data[0] - (at(1e-5) - at(-1e-5)) / 2e-5)).toBeLessThan(1e-6);
    }
  });

  it("keeps symbolic axes, on onnxruntime too", async () => {
    const q = input("q", "float32", ["batch", "query", 3, 4]);
    const k = input("k", "float32", ["batch", "key", 3, 4]);
    const y = build.einsum("bqhd,bkhd->bqk", q, k);
    expect(y.shape).toEqual(["batch", "query", "key"]);
    const feeds = { q: random(1).normal([2, 5, 3, 4]) as Tensor, k: random(2).normal([2, 1, 3, 4]) as Tensor };
    const compiled = await engine.compile({ y });
    const expected = einsum("bqhd,bkhd->bqk", feeds.q, feeds.k);
    expectClose((await compiled.run(feeds))["y"].numbers(), expected.numbers(), 1e-5);
    await compiled.dispose();
  });

  it("takes the diagonal of symbolic axes, on onnxruntime too, whatever stands beside it", async () => {
    const x = input("x", "float32", ["batch", "query", "head", "query"]);
    const y = build.einsum("bqhq->hqb", x);
    expect(y.shape).toEqual(["head", "query", "batch"]);
    const held = random(3).normal([2, 5, 3, 5]) as Tensor<"float32">;
    const data = held.data.map((element, i) => (Math.floor(i / 15) % 5 === i % 5 ? element : Infinity));
    const compiled = await engine.compile({ y });
    const got = (await compiled.run({ x: new Tensor("float32", held.shape, data) }))["y"];
    expectClose(got.numbers(), einsum("bqhq->hqb", held).numbers(), 0);
    await compiled.dispose();
  });
});

describe("hostile ONNX files", () => {
  const model = (graph: object, version = 21n): Uint8Array =>
    toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport: [{ domain: "", version }], graph }));
  const node = (opType: string, inputs: string[], output: string) =>
    create(NodeProtoSchema, { name: `the ${output}`, opType, input: inputs, output: [output] });
  const vector = (name: string, dims: bigint[], rest: object) =>
    create(TensorProtoSchema, { name, dims, dataType: 1, ...rest });
  const floats = new Uint8Array(8);

  it.each([
    ["no bytes", new Uint8Array(), "holds no graph"],
    ["text", new Uint8Array(Buffer.from("hello, this is no model")), "not an ONNX file"],
    ["a cycle", model({ node: [node("Abs", ["b"], "a"), node("Abs", ["a"], "b")], output: [{ name: "b" }] }), '"the a" (Abs) reads "b", which nothing before it defines'], // prettier-ignore
    ["a node that feeds itself", model({ node: [node("Abs", ["a"], "a")] }), "a cyclic graph?"],
    ["two results of one name", model({ initializer: [vector("a", [2n], { rawData: floats })], node: [node("Abs", ["a"], "a")] }), '"a" is defined twice'], // prettier-ignore
    ["a missing output", model({ output: [{ name: "y" }] }), 'an output reads "y"'],
    ["a size of 2^62", model({ initializer: [vector("a", [2n ** 62n], { rawData: floats })] }), "is beyond 2^53"],
    ["a negative size", model({ initializer: [vector("a", [-1n], { rawData: floats })] }), "impossible shape [-1]"],
    [
      "sizes whose product overflows",
      model({ initializer: [vector("a", [2n ** 40n, 2n ** 40n], {})] }),
      "impossible shape",
    ],
    [
      "too few bytes",
      model({ initializer: [vector("a", [3n], { rawData: floats })] }),
      "needs 3 elements, got 8 bytes",
    ],
    [
      "a tensor of 2^40 without data",
      model({ initializer: [vector("a", [2n ** 40n], {})] }),
      "elements, got 0 elements",
    ],
    ["a file outside", model({ initializer: [vector("a", [2n], { dataLocation: 1, externalData: [{ key: "location", value: "../../secret" }, { key: "length", value: "8" }] })] }), "outside the model's folder"], // prettier-ignore
    ["shapes that do not fit", model({ initializer: [vector("a", [2n], { rawData: floats }), vector("b", [1n, 3n], { rawData: new Uint8Array(12) })], node: [node("Add", ["a", "b"], "c")] }), "do not broadcast"], // prettier-ignore
  ])("%s", (_, bytes, message) => {
    expect(() => decodeOnnx(bytes)).toThrow(FormatError);
    expect(() => decodeOnnx(bytes)).toThrow(message);
  });

  it("a size that doubles at every step is stopped", () => {
    const dim = { value: { case: "dimParam" as const, value: "token" } };
    const type = { value: { case: "tensorType" as const, value: { elemType: 1, shape: { dim: [dim] } } } };
    const steps = Array.from({ length: 100 }, (_, i) => node("Mul", [`s${i}`, `s${i}`], `s${i + 1}`));
    const bytes = model({ input: [{ name: "x", type }], node: [node("Shape", ["x"], "s0"), ...steps] });
    expect(() => decodeOnnx(bytes)).toThrow(/has a size of \d{4} letters/);
  });

  it("other operator sets are refused", () => {
    expect(() => decodeOnnx(model({}, 12n))).toThrow("operator set 12 cannot be read; expected 13 … 26");
    expect(() => decodeOnnx(model({}, 2n ** 62n))).toThrow("operator set 4611686018427387904");
  });

  it("cut, flipped and stuffed bytes give an error of ours or a valid graph", () => {
    const valid = [encode(attention()), ...filesIn(oracles).map(bytesOfFile)];
    let state = 5;
    const draw = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let decoded = 0;
    for (let round = 0; round < 6000; round++) {
      const whole = valid[draw(valid.length)];
      const file = whole.slice(0, draw(4) === 0 ? draw(whole.length) : whole.length);
      for (let n = draw(4); n >= 0 && file.length > 0; n--) {
        const at = draw(file.length);
        file.fill(draw(3) === 0 ? 255 : draw(256), at, at + 1 + draw(6));
      }
      try {
        decodeOnnx(file);
        decoded++;
      } catch (error) {
        if (!(error instanceof FormatError) && !(error instanceof UnsupportedError)) throw error;
      }
    }
    expect(decoded).toBeGreaterThan(0);
  });
});
