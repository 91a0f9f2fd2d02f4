import { create } from "@bufbuild/protobuf";
import type { DType } from "../tensor/index.js";
import { OptionError, ShapeError } from "../tensor/index.js";
import type { Dim, SymbolicShape } from "./dims.js";
import { termsAndFactors } from "./dims.js";
import { originsOf } from "./origins.js";
import type { Program } from "./program.js";
import type { AttributeProto, NodeProto } from "./proto/onnx_pb.js";
import { AttributeProto_AttributeType as Kind, AttributeProtoSchema, NodeProtoSchema } from "./proto/onnx_pb.js";
import type { Value } from "./value.js";

type Constants = (values: readonly number[], dtype: DType, shape: readonly number[]) => string;

interface NodeOptions {
  readonly domain?: string;
  /** Which of the node's results the name is for; default the first. */
  readonly result?: number;
}

/** Names and nodes of one ONNX graph while it is written; every generated name starts with `%`. */
export class OnnxScope {
  readonly nodes: NodeProto[] = [];
  /** What generated names begin with. */
  readonly prefix: string;
  readonly #outer: OnnxScope | undefined;
  /** Shapes that are fed at each run, by the name of their input; filled only where shapes are fed. */
  readonly fedShapes: Map<string, SymbolicShape> = new Map();
  readonly #inputs: readonly Value[];
  readonly #origins: ReadonlyMap<Value, string>;
  readonly #names = new Map<Value, string>();
  readonly #constants = new Map<string, string>();
  readonly #sizes = new Map<string, string>();
  readonly #feedShapes: boolean;

  constructor(program: Program, feedShapes = false, outer?: OnnxScope) {
    this.#outer = outer;
    this.prefix = outer ? `${outer.prefix}loop/${outer.nodes.length}/` : "%";
    const { values, inputs, outputs } = program;
    this.#inputs = inputs;
    this.#feedShapes = feedShapes;
    this.#origins = originsOf(program);
    values.forEach((value, i) => {
      const { source } = value;
      if (source?.kind === "input") this.#names.set(value, source.name);
      else if (source?.kind === "weight") this.#names.set(value, `%weight/${i}/${source.name}`);
      else this.#names.set(value, `${this.prefix}${i}/${this.originOf(value)}/${value.op || "Constant"}`);
    });
    const inputNames = new Set(inputs.map(this.nameOf));
    for (const [name, value] of Object.entries(outputs)) {
      if (inputNames.has(name)) throw new OptionError(`graph: "${name}" names an input and an output`);
      if (value.op && this.nameOf(value).startsWith("%")) this.#names.set(value, name);
    }
  }

  readonly nameOf = (value: Value): string => this.#names.get(value)!;

  /** The scope of a loop's body: what it reads from outside goes by the outer names. */
  inner(values: readonly Value[], captured: ReadonlyMap<Value, Value>): OnnxScope {
    const scope = new OnnxScope({ values, inputs: [], outputs: {} }, false, this);
    for (const [leaf, outer] of captured) scope.#names.set(leaf, this.nameOf(outer));
    return scope;
  }

  /** The address or label that a value belongs to. */
  originOf(value: Value): string {
    return this.#origins.get(value)!;
  }

  /** Adds a node and returns its name. */
  node(
    opType: string,
    input: readonly string[],
    output: string | readonly string[],
    attribute: readonly AttributeProto[],
    origin: string,
    { domain = "", result = 0 }: NodeOptions = {},
  ): string {
    const name = `${this.#outer ? this.prefix : ""}${origin}/${opType}.${this.nodes.length}`;
    // Results before the one that is wanted need a name too.
    const unread = Array.from({ length: result }, (_, i) => `${this.prefix}unread/${this.nodes.length}/${i}`);
    const parts = { input: [...input], output: [...unread, ...[output].flat()], attribute: [...attribute] };
    this.nodes.push(create(NodeProtoSchema, { name, opType, domain, ...parts }));
    return name;
  }

  /** The name of a constant, and whether it is asked for the first time. */
  constant(key: string): { readonly name: string; readonly fresh: boolean } {
    const known = this.#constants.get(key);
    const name = known ?? `%constant/${this.#constants.size}`;
    this.#constants.set(key, name);
    return { name, fresh: known === undefined };
  }

  /** The name of the int64 tensor that holds a symbolic shape at run time. */
  dims(value: Value, shape: SymbolicShape, constantOf: Constants): string {
    if (this.#outer) return this.#outer.dims(value, shape, constantOf);
    if (value.op === "Reshape") {
      const own = value.inputs[0].shape;
      // In a Reshape, 0 copies the operand's axis and one −1 takes what is left.
      const target = shape.map((dim, axis) => (typeof dim === "number" ? dim : dim === own[axis] ? 0 : -1));
      if (target.filter((dim) => dim === -1).length <= 1) return constantOf(target, "int64", [target.length]);
    } else if (shape.every((dim) => typeof dim === "number")) {
      return constantOf(shape, "int64", [shape.length]);
    }
    const name = `%shape/${shape.join(",")}`;
    if (this.#feedShapes) {
      this.fedShapes.set(name, shape);
      return name;
    }
    const parts = shape.map((dim) => this.#size(dim, constantOf));
    if (!this.#sizes.has(name)) {
      const axis = create(AttributeProtoSchema, { name: "axis", type: Kind.INT, i: 0n });
      this.node("Concat", parts, name, [axis], name);
      this.#sizes.set(name, name);
    }
    return name;
  }

  #size(dim: Dim, constantOf: Constants): string {
    if (typeof dim === "number") return constantOf([dim], "int64", [1]);
    const known = this.#sizes.get(dim);
    if (known !== undefined) return known;
    const name = `%size/${dim}`;
    const carrier = this.#inputs.find(({ shape }) => shape.includes(dim));
    const { op, parts } = termsAndFactors(dim);
    if (carrier) {
      const axis = carrier.shape.indexOf(dim);
      const bounds = Object.entries({ start: axis, end: axis + 1 }).map(([key, at]) =>
        create(AttributeProtoSchema, { name: key, type: Kind.INT, i: BigInt(at) }),
      );
      this.node("Shape", [this.nameOf(carrier)], name, bounds, name);
    } else {
      if (parts.length === 1) throw new ShapeError(`graph: no input gives the size of axis "${dim}"`);
      const sizes = parts.map((part) => this.#size(part, constantOf));
      sizes.slice(1).reduce((left, right, i) => {
        const partial = i === sizes.length - 2 ? name : `${name}/${i}`;
        this.node(op, [left, right], partial, [], name);
        return partial;
      }, sizes[0]);
    }
    this.#sizes.set(dim, name);
    return name;
  }
}
