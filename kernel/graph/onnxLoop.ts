import { create } from "@bufbuild/protobuf";
import type { OnnxScope } from "./onnxScope.js";
import { valueInfo } from "./onnxTypes.js";
import { bodyOf } from "./program.js";
import { AttributeProto_AttributeType as Kind, AttributeProtoSchema, GraphProtoSchema } from "./proto/onnx_pb.js";
import type { Value } from "./value.js";

/**
 * Writes a loop, of which these results are read, as one Scan, whose body is a graph of its own; what the body reads from
 * outside it finds there by name, and of what it may collect it writes only what is read. Returns the name of the node.
 */
export function writeLoop(
  group: readonly Value[],
  scope: OnnxScope,
  write: (values: readonly Value[], results: readonly Value[], scope: OnnxScope) => void,
): string {
  const [value] = group;
  const { state, slices, next, collect, reverse, captured } = value.loop!;
  const read = new Map(group.map((result) => [result.attributes["result"] as number, result]));
  const kept = collect.flatMap((own, i) => (read.has(next.length + i) ? [{ own, at: next.length + i }] : []));
  const body = bodyOf(value.loop!, [...next, ...kept.map(({ own }) => own)]);
  const inner = scope.inner(body.values, new Map(captured.map((leaf, i) => [leaf, value.inputs[state.length + slices.length + i]]))); // prettier-ignore
  write(body.values, body.results, inner);
  // Each result under a name of its own: one value may stand for several, and a leaf is no result.
  const outputs = body.results.map((result, i) => {
    const name = `${inner.prefix}result/${i}`;
    inner.node("Identity", [inner.nameOf(result)], name, [], inner.prefix);
    return valueInfo(name, result);
  });
  const graph = create(GraphProtoSchema, {
    name: inner.prefix,
    node: inner.nodes,
    input: [...state, ...slices].map((leaf) => valueInfo(inner.nameOf(leaf), leaf)),
    output: outputs,
  });
  const ints = (name: string, count: number) =>
    create(AttributeProtoSchema, { name, type: Kind.INTS, ints: new Array<bigint>(count).fill(1n) });
  const results = [...next.map((_, i) => i), ...kept.map(({ at }) => at)].map((at) => read.get(at));
  return scope.node(
    "Scan",
    value.inputs.slice(0, state.length + slices.length).map(scope.nameOf),
    results.map((result, i) => (result ? scope.nameOf(result) : `${inner.prefix}unread/${i}`)),
    [
      create(AttributeProtoSchema, { name: "body", type: Kind.GRAPH, g: graph }),
      create(AttributeProtoSchema, { name: "num_scan_inputs", type: Kind.INT, i: BigInt(slices.length) }),
      ...(reverse ? [ints("scan_input_directions", slices.length), ints("scan_output_directions", kept.length)] : []),
    ],
    scope.originOf(value),
  );
}
