import { fromBinary } from "@bufbuild/protobuf";
import { asciiText, FormatError, knownNames, OptionError, ShapeError, UnsupportedError } from "../tensor/index.js";
import { build } from "./build.js";
import { bare, readLoop } from "./decodeLoop.js";
import type { Dim } from "./dims.js";
import { severalBuilders } from "./onnxArrayNodes.js";
import { nodeBuilders } from "./onnxNodes.js";
import type { Sizes } from "./onnxShapes.js";
import { sizesOf } from "./onnxShapes.js";
import type { ExternalData } from "./onnxTensor.js";
import { countOf, dtypeOfElement, isExternal, tensorOf, weightOf } from "./onnxTensor.js";
import type { NodeView } from "./onnxView.js";
import { constant, input, operators } from "./ops/index.js";
import { contribDomain } from "./products.js";
import type { AttributeProto, GraphProto, ModelProto, NodeProto, ValueInfoProto } from "./proto/onnx_pb.js";
import { ModelProtoSchema } from "./proto/onnx_pb.js";
import type { Value } from "./value.js";

const oldest = 13;
const newest = 26;
/** Longest text of a symbolic size: repeated products would double it at each step. */
const longestDim = 1000;
/** Loops within loops, at most. */
const deepest = 16;

export interface DecodeOptions {
  /** What messages call the file; default `"onnx"`. */
  readonly place?: string;
  /** Where weights outside of the file lie; without it they are refused. */
  readonly external?: ExternalData;
}

/** A graph read from a file. */
export interface DecodedGraph {
  readonly inputs: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
}

interface Entry {
  readonly value?: Value;
  readonly sizes?: Sizes;
}

function parse(place: string, bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new FormatError(`${place}: not an ONNX file: ${(error as Error).message}`);
  }
}

function inputOf(place: string, { name, type }: ValueInfoProto): Value {
  if (type?.value.case !== "tensorType" || !type.value.value.shape) {
    throw new UnsupportedError(`${place}: input "${name}" is no tensor of known rank`);
  }
  const { elemType, shape } = type.value.value;
  const dims = shape.dim.map(({ value }, axis): Dim => {
    if (value.case === "dimValue") return countOf(place, `input "${name}" has a size that`, value.value);
    const word = value.value ?? "";
    return /^[^*\d-][^*]*$/.test(word) && word.length < 100 ? word : `${name}.${axis}`.replaceAll("*", "");
  });
  if (dims.some((dim) => typeof dim === "number" && dim < 0)) {
    throw new FormatError(`${place}: input "${name}" has the impossible shape [${dims.join(",")}]`);
  }
  return input(name, dtypeOfElement(`${place}: input "${name}"`, elemType), dims);
}

/** The graph of one file while it is read: what stands under each name so far. */
class Reader {
  readonly #place: string;
  readonly #external: ExternalData | undefined;
  /** What the body of a loop finds around it. */
  readonly #outer: Reader | undefined;
  readonly #depth: number;
  readonly #entries = new Map<string, Entry>();

  constructor(place: string, external: ExternalData | undefined, outer?: Reader) {
    this.#place = place;
    this.#external = external;
    this.#outer = outer;
    this.#depth = outer ? outer.#depth + 1 : 0;
    if (this.#depth > deepest) throw new FormatError(`${place}: loops lie in each other more than ${deepest} deep`);
  }

  define(name: string, entry: Entry): void {
    if (this.#entries.has(name)) throw new FormatError(`${this.#place}: "${name}" is defined twice`);
    this.#entries.set(name, entry);
  }

  /** Throws FormatError on a name that nothing before it defines. */
  find(name: string, by: string): Entry {
    const entry = this.#known(name);
    if (!entry) {
      throw new FormatError(`${this.#place}: ${by} reads "${name}", which nothing before it defines; a cyclic graph?`);
    }
    return entry;
  }

  #known(name: string): Entry | undefined {
    return this.#entries.get(name) ?? (this.#outer ? this.#outer.#known(name) : undefined);
  }

  value(name: string, by: string): Value {
    const { value, sizes } = this.find(name, by);
    if (value) return value;
    throw new UnsupportedError(`${this.#place}: ${by} computes with the sizes [${sizes?.dims.join(",")}] of a tensor`);
  }

  node(proto: NodeProto): void {
    const { opType, domain, output } = proto;
    const by = `node "${proto.name || output[0] || "?"}" (${opType})`;
    const several = Object.hasOwn(severalBuilders, opType) || opType === "Scan";
    if (!several && (output.length === 0 || output.slice(1).some(Boolean))) {
      throw new UnsupportedError(`${this.#place}: ${by} has ${output.length} outputs; expected 1`);
    }
    const attributes = new Map(proto.attribute.map((attribute) => [attribute.name, attribute]));
    try {
      this.#apply(proto, by, attributes).forEach((entry, i) => {
        if (output[i]) this.define(output[i], entry);
      });
    } catch (error) {
      if (error instanceof ShapeError || error instanceof OptionError) {
        throw new FormatError(`${this.#place}: ${by}: ${error.message}`);
      }
      const own = error instanceof FormatError || error instanceof UnsupportedError;
      if (own && !error.message.startsWith(this.#place)) error.message = `${this.#place}: ${by}: ${error.message}`;
      throw error;
    }
    const dims = output.filter(Boolean).flatMap((result) => {
      const { value, sizes } = this.find(result, by);
      return [...(value?.shape ?? []), ...(sizes?.dims ?? [])];
    });
    const long = dims.find((dim) => String(dim).length > longestDim);
    if (long !== undefined) throw new FormatError(`${this.#place}: ${by} has a size of ${String(long).length} letters`);
    const standard = domain === "" || domain === "ai.onnx" || domain === contribDomain;
    if (!standard) throw new UnsupportedError(`${this.#place}: ${by} is of the unknown domain "${domain}"`);
  }

  #apply(proto: NodeProto, by: string, attributes: ReadonlyMap<string, AttributeProto>): readonly Entry[] {
    const { opType, input: names } = proto;
    const int = (name: string, otherwise: number): number => {
      const held = attributes.get(name);
      return held ? countOf(this.#place, `${by}: attribute "${name}"`, held.i) : otherwise;
    };
    if (opType === "Constant") {
      const tensor = attributes.get("value")?.t;
      if (!tensor) throw new UnsupportedError("expected a constant with a tensor value");
      return [leaf(constant(tensorOf(this.#place, tensor)))];
    }
    if (opType === "Shape") {
      const { shape } = this.value(names[0] ?? "", by);
      return [{ sizes: { dims: shape.slice(int("start", 0), int("end", shape.length)), scalar: false } }];
    }
    if (opType === "Scan") {
      const body = (graph: GraphProto, leaves: readonly Value[]): readonly Value[] =>
        new Reader(this.#place, this.#external, this).body(
          graph,
          graph.input.map(({ name }) => name),
          leaves,
        );
      const operands = names.map((name) => this.value(name, by));
      return readLoop({ attributes, operands, int, body }).map((value) => ({ value }));
    }
    const given = names.map((name) => (name === "" ? undefined : this.find(name, by)));
    const symbolic = given.some((entry) => entry && !entry.value);
    const sizes = sizesOf(
      opType,
      (opType === "Unsqueeze" || opType === "Squeeze" ? given.slice(0, 1) : given).map((entry) => entry?.sizes),
      { int },
    );
    if (sizes && symbolic) return [{ sizes }];
    const known = [operators, nodeBuilders, severalBuilders].some((table) => Object.hasOwn(table, opType));
    if (!known) {
      throw new UnsupportedError(`this operator is not known${knownNames(opType, Object.keys(operators))}`);
    }
    const view: NodeView = {
      op: opType,
      count: names.length,
      resultCount: proto.output.length,
      isLeftOut: (i) => !names[i],
      value: (i) => this.value(names[i] ?? "", by),
      sizes: (i) => {
        if (!names[i]) return undefined;
        const found = given[i]?.sizes;
        if (!found) throw new UnsupportedError(`operand "${names[i]}" is known only when the graph runs`);
        return found.dims;
      },
      int,
      float: (name, otherwise) => attributes.get(name)?.f ?? otherwise,
      text: (name, otherwise) => (attributes.has(name) ? asciiText(attributes.get(name)!.s) : otherwise),
      ints: (name) => attributes.get(name)?.ints.map((i) => countOf(this.#place, `${by}: attribute "${name}"`, i)),
      dtype: (name) => dtypeOfElement(by, int(name, 0)),
    };
    if (Object.hasOwn(severalBuilders, opType)) return severalBuilders[opType](view).map((value) => ({ value }));
    const builder = Object.hasOwn(nodeBuilders, opType) ? nodeBuilders[opType] : undefined;
    const operands = (): Value[] => names.map((_, i) => view.value(i));
    const value = builder ? builder(view) : build.apply(opType, operands());
    return [sizes ? { value, sizes } : { value }];
  }

  /** The outputs of a graph whose inputs of these names stand for these values. */
  body(graph: GraphProto, names: readonly string[], inputs: readonly Value[]): readonly Value[] {
    if (graph.sparseInitializer.length > 0) throw new UnsupportedError(`${this.#place}: sparse tensors cannot be read`);
    for (const proto of graph.initializer) {
      const value = isExternal(proto)
        ? weightOf(this.#place, proto, this.#external)
        : constant(tensorOf(this.#place, proto));
      this.define(proto.name, leaf(value));
    }
    names.forEach((name, i) => this.define(name, { value: inputs[i] }));
    for (const node of graph.node) this.node(node);
    return graph.output.map(({ name }) => bare(this.value(name, "an output")));
  }
}

/** A leaf; a short list of whole numbers may serve as sizes as well. */
function leaf(value: Value): Entry {
  const tensor = value.source?.kind === "constant" ? value.source.tensor : undefined;
  if (
    !tensor ||
    (tensor.dtype !== "int64" && tensor.dtype !== "int32") ||
    tensor.shape.length > 1 ||
    tensor.size > 64
  ) {
    return { value };
  }
  return { value, sizes: { dims: Array.from(tensor.data, Number), scalar: tensor.shape.length === 0 } };
}

function readGraph(place: string, graph: GraphProto, external: ExternalData | undefined): DecodedGraph {
  const held = new Set(graph.initializer.map(({ name }) => name));
  // Old files list constants among the inputs too.
  const open = graph.input.filter(({ name }) => !held.has(name));
  const inputs = open.map((info) => inputOf(place, info));
  const results = new Reader(place, external).body(
    graph,
    open.map(({ name }) => name),
    inputs,
  );
  return { inputs, outputs: Object.fromEntries(graph.output.map(({ name }, i) => [name, results[i]])) };
}

/**
 * Reads an ONNX model into the graph language; sizes that it computes from shapes become symbolic dimensions.
 *
 * Throws   FormatError on a broken file; UnsupportedError, naming the operator, on what the language does not have
 */
export function decodeOnnx(bytes: Uint8Array, { place = "onnx", external }: DecodeOptions = {}): DecodedGraph {
  const { graph, opsetImport, functions } = parse(place, bytes);
  if (!graph) throw new FormatError(`${place}: the file holds no graph`);
  const version = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 1n;
  if (version < oldest || version > newest) {
    throw new UnsupportedError(`${place}: operator set ${version} cannot be read; expected ${oldest} … ${newest}`);
  }
  if (functions.length > 0) throw new UnsupportedError(`${place}: functions cannot be read`);
  return readGraph(place, graph, external);
}
