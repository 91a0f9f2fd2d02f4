import { clone, create } from "@bufbuild/protobuf";
import { UnsupportedError } from "../tensor/index.js";
import { initializersOf, namesReadBy, needsOf } from "./onnxFile.js";
import type { AttributeProto, GraphProto, NodeProto, TensorProto } from "./proto/onnx_pb.js";
import { AttributeProtoSchema, GraphProtoSchema, NodeProtoSchema, TensorProtoSchema } from "./proto/onnx_pb.js";
import type { OnnxFile, Value } from "./value.js";

type Rename = (name: string) => string;

/** A node under other names; what an inner graph defines itself keeps its name. */
function renamed(node: NodeProto, input: Rename, output: readonly string[], name: string): NodeProto {
  const attribute = node.attribute.map((held): AttributeProto => {
    if (!held.g && held.graphs.length === 0) return held;
    const copy = clone(AttributeProtoSchema, held);
    if (copy.g) copy.g = renamedGraph(copy.g, input);
    copy.graphs = copy.graphs.map((graph) => renamedGraph(graph, input));
    return copy;
  });
  const { opType, domain, overload } = node;
  return create(NodeProtoSchema, {
    ...{ name, opType, domain, overload, attribute },
    input: node.input.map((key) => (key === "" ? "" : input(key))),
    output: [...output],
  });
}

function renamedGraph(graph: GraphProto, outer: Rename): GraphProto {
  const own = new Set([
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ]);
  const rename: Rename = (name) => (own.has(name) ? name : outer(name));
  const copy = clone(GraphProtoSchema, graph);
  copy.node = copy.node.map((node) => renamed(node, rename, node.output, node.name));
  for (const info of copy.output) info.name = rename(info.name);
  return copy;
}

/** Writes nodes of ONNX files into another graph; what two values share is written once. */
export class FileNodes {
  readonly initializers: TensorProto[] = [];
  readonly files: OnnxFile[] = [];
  readonly #written = new Map<string, readonly string[]>();
  readonly #held = new Map<OnnxFile, Map<string, string>>();
  readonly #nodes: NodeProto[];

  /** Nodes are appended to `nodes`. */
  constructor(nodes: NodeProto[]) {
    this.#nodes = nodes;
  }

  /** The name under which a value of a file now stands. */
  write(value: Value, nameOf: (value: Value) => string): string {
    const { file, attributes } = value;
    const { graph } = file!;
    const given = attributes["given"] as readonly string[];
    const names = new Map(given.map((name, i) => [name, nameOf(value.inputs[i])]));
    const target = attributes["name"] as string;
    for (const at of needsOf(graph, target, names).nodes) {
      const node = graph.node[at];
      const rename: Rename = (name) => names.get(name) ?? this.#initializer(file!, name);
      const key = `${this.#fileIndex(file!)} ${at} ${JSON.stringify(namesReadBy(node).map(rename))}`;
      const known = this.#written.get(key);
      const outputs = known ?? node.output.map((name) => (name === "" ? "" : `%file/${this.#written.size}/${name}`));
      if (!known) {
        this.#written.set(key, outputs);
        this.#nodes.push(renamed(node, rename, outputs, `${node.name || node.opType}.${at}`));
      }
      node.output.forEach((name, i) => {
        if (name !== "" && (!names.has(name) || name === target)) names.set(name, outputs[i]);
      });
    }
    return names.get(target) ?? this.#initializer(file!, target);
  }

  #fileIndex(file: OnnxFile): number {
    const at = this.files.indexOf(file);
    return at >= 0 ? at : this.files.push(file) - 1;
  }

  #initializer(file: OnnxFile, name: string): string {
    const index = this.#fileIndex(file);
    if (!this.#held.has(file)) this.#held.set(file, new Map());
    const held = this.#held.get(file)!;
    const known = held.get(name);
    if (known !== undefined) return known;
    const proto = initializersOf(file.graph).get(name);
    if (!proto) throw new UnsupportedError(`graph: nothing in the ONNX file makes "${name}"`);
    const renamedTo = `%file${index}/${name}`;
    held.set(name, renamedTo);
    const copy = clone(TensorProtoSchema, proto);
    copy.name = renamedTo;
    this.initializers.push(copy);
    return renamedTo;
  }
}
