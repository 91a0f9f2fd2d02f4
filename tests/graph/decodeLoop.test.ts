import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { decodeOnnx, evaluate } from "../../kernel/lib/graph/index.js";
import type { NodeProto } from "../../kernel/lib/graph/proto/onnx_pb.js";
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
} from "../../kernel/lib/graph/proto/onnx_pb.js";
import { FormatError, UnsupportedError } from "../../kernel/lib/tensor/index.js";

type Graph = MessageInitShape<typeof GraphProtoSchema>;
type Attribute = MessageInitShape<typeof AttributeProtoSchema>;

const named = (...names: string[]): { name: string }[] => names.map((name) => ({ name }));
const node = (opType: string, input: string[], output: string[], attribute: Attribute[] = []): NodeProto =>
  create(NodeProtoSchema, {
    ...{ name: `the ${opType}`, opType, input, output },
    attribute: attribute.map((held) => create(AttributeProtoSchema, held)),
  });
const scan = (body: Graph | undefined, input: string[], output: string[], more: Attribute[] = []): NodeProto =>
  node("Scan", input, output, [
    { name: "num_scan_inputs", i: 1n },
    ...(body ? [{ name: "body", g: create(GraphProtoSchema, body) }] : []),
    ...more,
  ]);

/** s = [1, 2] and xs = [[1, 1], [2, 2], [3, 3]], with which a loop does what its body says. */
function model(loop: NodeProto, output = "y"): Uint8Array {
  const held = (name: string, dims: bigint[], floatData: number[]) =>
    create(TensorProtoSchema, { name, dims, dataType: 1, floatData });
  const graph: Graph = {
    initializer: [held("s", [2n], [1, 2]), held("xs", [3n, 2n], [1, 1, 2, 2, 3, 3]), held("scalar", [], [1])],
    node: [loop],
    output: named(output),
  };
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport: [{ domain: "", version: 21n }], graph }));
}

const weighed: Graph = {
  input: named("a", "x"),
  node: [node("Mul", ["x", "s"], ["wide"]), node("Add", ["a", "wide"], ["b"])],
  output: named("b", "wide"),
};
const sum: Graph = { input: named("a", "x"), node: [node("Add", ["a", "x"], ["b"])], output: named("b") };

/** Loops in loops, each over the whole of what lies outside all of them. */
function deep(depth: number): Graph {
  return depth === 0 ? sum : { ...sum, node: [scan(deep(depth - 1), ["a", "xs"], ["b"])] };
}

describe("a Scan of another writer", () => {
  const read = (loop: NodeProto, output: string): number[] => [
    ...evaluate(decodeOnnx(model(loop, output)).outputs, {})[output].data,
  ];

  it("reads what lies around its body, and collects", () => {
    const loop = scan(weighed, ["s", "xs"], ["last", "all"]);
    expect(read(loop, "last")).toEqual([7, 14]);
    expect(read(loop, "all")).toEqual([1, 2, 2, 4, 3, 6]);
  });

  it("runs backwards, each result at its slice's place", () => {
    const ways = ["scan_input_directions", "scan_output_directions"].map((name) => ({ name, ints: [1n] }));
    const loop = scan({ ...weighed, output: named("b", "b") }, ["s", "xs"], ["last", "all"], ways);
    expect(read(loop, "all")).toEqual([7, 14, 6, 12, 4, 8]);
  });

  it("may lie in another", () => {
    // Each of three turns adds all three rows.
    expect(read(scan(deep(1), ["s", "xs"], ["y"]), "y")).toEqual([19, 20]);
  });
});

describe("a hostile loop", () => {
  it.each<[string, NodeProto, typeof FormatError | typeof UnsupportedError, string]>([
    ["no body", scan(undefined, ["s", "xs"], ["y"]), FormatError, "expected a body"],
    ["no operands", scan(sum, [], ["y"]), FormatError, "expected 1 … 0 sequences, got 1"],
    ["leaves that nothing fills", scan({ ...sum, input: named("a") }, ["s", "xs"], ["y"]), FormatError, "its body reads 1 values; expected 2"], // prettier-ignore
    ["no results", scan({ ...sum, output: [] }, ["s", "xs"], ["y"]), FormatError, "gives 0 values; expected at least 1"], // prettier-ignore
    ["a body that feeds itself", scan({ ...sum, node: [node("Add", ["b", "x"], ["b"])] }, ["s", "xs"], ["y"]), FormatError, "a cyclic graph?"], // prettier-ignore
    ["a body that reads its loop's result", scan({ ...sum, node: [node("Add", ["y", "x"], ["b"])] }, ["s", "xs"], ["y"]), FormatError, "a cyclic graph?"], // prettier-ignore
    ["a state that grows", scan({ ...sum, node: [node("Concat", ["a", "x"], ["b"], [{ name: "axis", i: 0n }])] }, ["s", "xs"], ["y"]), FormatError, 'state "a" must stay [2] float32, got [4] float32'], // prettier-ignore
    ["a scalar to run over", scan(sum, ["s", "scalar"], ["y"]), FormatError, "expected sequences of some slices, got []"], // prettier-ignore
    ["leaves of one name", scan({ ...sum, input: named("a", "a") }, ["s", "xs"], ["y"]), FormatError, '"a" is defined twice'], // prettier-ignore
    ["another axis", scan(sum, ["s", "xs"], ["y"], [{ name: "scan_input_axes", ints: [1n] }]), UnsupportedError, "do not run along their first axis"], // prettier-ignore
    ["two directions", scan(weighed, ["s", "xs"], ["y", "z"], [{ name: "scan_input_directions", ints: [1n] }]), UnsupportedError, "run in different directions"], // prettier-ignore
    ["loops in loops in loops", scan(deep(20), ["s", "xs"], ["y"]), FormatError, "more than 16 deep"],
  ])("with %s is refused", (_, loop, kind, message) => {
    const decode = (): unknown => decodeOnnx(model(loop), { place: "a.onnx" });
    expect(decode).toThrow(kind);
    expect(decode).toThrow(message);
    expect(decode).toThrow(/^a\.onnx: /);
  });
});
