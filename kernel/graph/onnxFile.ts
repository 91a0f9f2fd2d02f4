import type { DType } from "../tensor/index.js";
import type { SymbolicShape } from "./dims.js";
import type { GraphProto, TensorProto } from "./proto/onnx_pb.js";
import type { OnnxFile, Value } from "./value.js";

/** The operator of values that a file computes. */
export const fileOp = "OnnxFile";

/** A tensor of an ONNX file, and what it is computed from. */
export interface FileTensor {
  readonly file: OnnxFile;
  /** Name in the file. */
  readonly name: string;
  /** Values that stand for tensors of the file, by name: its inputs, and tensors that were changed. */
  readonly given: ReadonlyMap<string, Value>;
}

/** What the nodes of a file compute for one of its tensors. */
export function fileValue({ file, name, given }: FileTensor, dtype: DType, shape: SymbolicShape): Value {
  const names = requiredNames(file.graph, name, given);
  return Object.freeze<Value>({
    op: fileOp,
    inputs: names.map((key) => given.get(key)!),
    attributes: { file: file.version, name, given: names },
    shape,
    dtype,
    file,
    label: name,
  });
}

/** Names that a node reads, those of its inner graphs included. */
export function namesReadBy(node: GraphProto["node"][number]): readonly string[] {
  const inner = node.attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...graphs]).flatMap(outerNames);
  return [...node.input.filter((name) => name !== ""), ...inner];
}

/** Names that a graph reads from the one around it. */
function outerNames(graph: GraphProto): readonly string[] {
  const own = new Set([
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ]);
  return [...graph.node.flatMap(namesReadBy), ...graph.output.map(({ name }) => name)].filter((name) => !own.has(name));
}

/** Index of the node that makes each tensor. */
export function producersOf(graph: GraphProto): ReadonlyMap<string, number> {
  const known = producers.get(graph);
  if (known) return known;
  const made = new Map(graph.node.flatMap(({ output }, i) => output.map((name) => [name, i] as const)));
  producers.set(graph, made);
  return made;
}

/** The tensors that a graph holds, by name. */
export function initializersOf(graph: GraphProto): ReadonlyMap<string, TensorProto> {
  const known = initializers.get(graph);
  if (known) return known;
  const held = new Map(graph.initializer.map((proto) => [proto.name, proto]));
  initializers.set(graph, held);
  return held;
}

const producers = new WeakMap<GraphProto, ReadonlyMap<string, number>>();
const initializers = new WeakMap<GraphProto, ReadonlyMap<string, TensorProto>>();

/** The nodes that a tensor needs, in order, and the given names that they read; what is given is not computed. */
export function needsOf(
  graph: GraphProto,
  name: string,
  given: { readonly has: (name: string) => boolean },
): { readonly nodes: readonly number[]; readonly names: ReadonlySet<string> } {
  const made = producersOf(graph);
  const nodes = new Set<number>();
  const names = new Set<string>();
  const open = [name];
  while (open.length > 0) {
    const next = open.pop()!;
    if (given.has(next) && next !== name) {
      names.add(next);
      continue;
    }
    const at = made.get(next);
    if (at === undefined || nodes.has(at)) {
      if (at === undefined) names.add(next);
      continue;
    }
    nodes.add(at);
    open.push(...namesReadBy(graph.node[at]));
  }
  return { nodes: [...nodes].sort((a, b) => a - b), names };
}

function requiredNames(graph: GraphProto, name: string, given: ReadonlyMap<string, Value>): string[] {
  return [...needsOf(graph, name, given).names].filter((key) => given.has(key)).sort();
}
