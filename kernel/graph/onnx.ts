import { create, toBinary } from "@bufbuild/protobuf";
import type { DType, Tensor } from "../tensor/index.js";
import { asciiBytes, OptionError, packNumbers, UnsupportedError } from "../tensor/index.js";
import type { SymbolicShape } from "./dims.js";
import { loopGroups } from "./loop.js";
import { writeLoop } from "./onnxLoop.js";
import { FileNodes } from "./onnxFileNodes.js";
import { OnnxScope } from "./onnxScope.js";
import { elementTypes, valueInfo } from "./onnxTypes.js";
import { operators } from "./ops/index.js";
import type { Program } from "./program.js";
import type { TransposedProducts } from "./products.js";
import { contribDomain, noProducts, transposedProducts } from "./products.js";
import { rowNumber } from "./rowNumbers.js";
import type { AttributeProto, TensorProto } from "./proto/onnx_pb.js";
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "./proto/onnx_pb.js";
import type { Value, WeightSource } from "./value.js";

/** The standard operator set and file version that graphs are written in. */
export const opset = 21;
const irVersion = 10n;

/** A model file, with its weights left where they are. */
export interface OnnxModel {
  readonly bytes: Uint8Array;
  /** Folder that holds every weight file; undefined without weights. */
  readonly folder: string | undefined;
  /** The value that each node computes, by the name of the node. */
  readonly nodes: ReadonlyMap<string, Value>;
  /** Shapes to be fed besides the inputs, as int64 vectors by name; see `feedShapes`. */
  readonly fedShapes: ReadonlyMap<string, SymbolicShape>;
}

function tensorProto(name: string, { shape, dtype, data }: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: elementTypes[dtype],
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
}

function weightProto(name: string, shape: SymbolicShape, source: WeightSource, file: string): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: elementTypes[source.storage],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: "location", value: file },
      { key: "offset", value: String(source.offset) },
      { key: "length", value: String(source.sizeBytes) },
    ],
  });
}

/** The operator set from which on an operator reads its axes as an input; before, they are an attribute. */
const axesInputSince: Readonly<Record<string, number>> = {
  Squeeze: 13,
  Unsqueeze: 13,
  ReduceSum: 13,
  ReduceMax: 18,
  ReduceMean: 18,
};

function attributeProtos({ op, attributes }: Value, axesToo: boolean): AttributeProto[] {
  const kinds = operators[op].attributes ?? {};
  return Object.entries(attributes).flatMap(([name, held]) => {
    const kind = kinds[name];
    switch (kind) {
      case "int":
        return create(AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(held as number) });
      case "float":
        return create(AttributeProtoSchema, { name, type: Kind.FLOAT, f: held as number });
      case "ints":
        return create(AttributeProtoSchema, { name, type: Kind.INTS, ints: (held as number[]).map(BigInt) });
      case "string":
        return create(AttributeProtoSchema, {
          name,
          type: Kind.STRING,
          s: asciiBytes(held as string),
        });
      case "dtype":
        return create(AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(elementTypes[held as DType]) });
      case "axes":
        return axesToo
          ? create(AttributeProtoSchema, { name, type: Kind.INTS, ints: (held as number[]).map(BigInt) })
          : [];
      case "dims":
      case "scalar":
        return [];
    }
  });
}

/** The single folder of all weight files, and each file's name in it. */
function weightFolder(program: Program): string | undefined {
  const folders = new Set(
    program.values.flatMap(({ source, file }) => {
      if (file) return file.folder ?? [];
      return source?.kind === "weight" ? [splitPath(source.path)[0]] : [];
    }),
  );
  if (folders.size > 1)
    throw new UnsupportedError(`graph: weights must lie in one folder, got ${[...folders].join(", ")}`);
  return [...folders][0];
}

function splitPath(path: string): [string, string] {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return [path.slice(0, cut), path.slice(cut + 1)];
}

/**
 * The operator sets of a program: those of its files where it has some.
 *
 * Throws   UnsupportedError where two files need different ones
 */
function opsetsOf({ values }: Program, withContrib: boolean): ReadonlyMap<string, bigint> {
  const opsets = new Map<string, bigint>();
  for (const file of new Set(values.flatMap((value) => value.file ?? []))) {
    for (const [domain, version] of file.opsets) {
      const other = opsets.get(domain) ?? version;
      if (other !== version)
        throw new UnsupportedError(`graph: files of operator sets ${other} and ${version} cannot be joined`);
      opsets.set(domain, version);
    }
  }
  if (!opsets.has("")) opsets.set("", BigInt(opset));
  if (withContrib && !opsets.has(contribDomain)) opsets.set(contribDomain, 1n);
  return opsets;
}

export interface EncodeOptions {
  /** Writes products with a transposed operand as one FusedMatMul, an operator that onnxruntime's CPU kernels add to the standard; default false. */
  readonly fuseTransposed?: boolean;
  /** Writes numbers beside large operands as rows, over which onnxruntime's CPU kernels run in several threads; default false. */
  readonly spreadNumbers?: boolean;
  /**
   * Makes shapes that depend on axis words inputs, instead of computing them in the graph: devices without integer
   * kernels can then run it; default false.
   */
  readonly feedShapes?: boolean;
}

/**
 * A program as an ONNX model: symbolic axes as dim_param, weights as external data at their place in their own files.
 *
 * Throws   OptionError when an input or output takes a reserved name; UnsupportedError when weights lie in several folders
 */
export function encodeOnnx(
  program: Program,
  { fuseTransposed = false, spreadNumbers = false, feedShapes = false }: EncodeOptions = {},
): OnnxModel {
  const scope = new OnnxScope(program, feedShapes);
  const nodes = new Map<string, Value>();
  const fileNodes = new FileNodes(scope.nodes);
  const results = Object.values(program.outputs);
  const fusedOf = fuseTransposed ? transposedProducts : () => noProducts;
  const initializer: TensorProto[] = [];
  const opsets = opsetsOf(program, fuseTransposed);
  const standard = Number(opsets.get(""));
  const outputNames = new Set(Object.keys(program.outputs));
  for (const name of [...outputNames, ...program.inputs.map(scope.nameOf)]) {
    if (name.startsWith("%")) throw new OptionError(`graph: names that start with % are reserved, got "${name}"`);
  }
  const constantOf = (values: readonly number[], dtype: DType, shape: readonly number[]): string => {
    const { name, fresh } = scope.constant(`${dtype} ${shape.join()} ${values.join()}`);
    if (fresh) {
      const data = packNumbers(dtype, values);
      initializer.push(tensorProto(name, { shape, dtype, data } as Tensor));
    }
    return name;
  };
  const write = (values: readonly Value[], results: readonly Value[], scope: OnnxScope): void => {
    const groups = loopGroups(values);
    const fused = fusedOf(values, results);
    for (const value of values) {
      const group = groups.get(value);
      if (!group) writeValue(value, fused, scope);
      else if (group[0] === value) nodes.set(writeLoop(group, scope, write), value);
    }
  };
  const writeValue = (value: Value, fused: TransposedProducts, scope: OnnxScope): void => {
    const { source } = value;
    const name = scope.nameOf(value);
    if (source?.kind === "constant") initializer.push(tensorProto(name, source.tensor));
    if (source?.kind === "weight") {
      const stored = source.storage === value.dtype ? name : `${name} (${source.storage})`;
      initializer.push(weightProto(stored, value.shape, source, splitPath(source.path)[1]));
      if (stored !== name) {
        const to = create(AttributeProtoSchema, { name: "to", type: Kind.INT, i: BigInt(elementTypes[value.dtype]) });
        scope.node("Cast", [stored], name, [to], name);
      }
    }
    if (!value.op || fused.skipped.has(value)) return;
    if (value.file) {
      scope.node("Identity", [fileNodes.write(value, scope.nameOf)], name, [], scope.originOf(value));
      return;
    }
    const product = fused.products.get(value);
    if (product) {
      const flags = ["transA", "transB"].flatMap((name, i) =>
        product.transposed[i] ? create(AttributeProtoSchema, { name, type: Kind.INT, i: 1n }) : [],
      );
      const inputs = product.inputs.map(scope.nameOf);
      const options = { domain: contribDomain };
      nodes.set(scope.node("FusedMatMul", inputs, name, flags, scope.originOf(value), options), value);
      return;
    }
    const kinds = operators[value.op].attributes ?? {};
    const asAttributes = standard < (axesInputSince[value.op] ?? 0);
    const lowered = Object.keys(kinds).flatMap((key) => {
      const held = value.attributes[key];
      if (held === undefined) return [];
      if (kinds[key] === "scalar") return [constantOf([held as number], "int64", [])];
      if (kinds[key] === "dims") return [scope.dims(value, held as SymbolicShape, constantOf)];
      if (kinds[key] !== "axes" || asAttributes) return [];
      return [constantOf(held as number[], "int64", [(held as number[]).length])];
    });
    const wide = spreadNumbers ? rowNumber(value) : undefined;
    const operands = value.inputs.map((x) =>
      x === wide?.operand ? constantOf(wide.row, value.dtype, [wide.row.length]) : scope.nameOf(x),
    );
    const inputs = [...operands, ...lowered];
    const options = { result: operators[value.op].result ?? 0 };
    nodes.set(
      scope.node(value.op, inputs, name, attributeProtos(value, asAttributes), scope.originOf(value), options),
      value,
    );
  };
  write(program.values, results, scope);
  for (const [name, value] of Object.entries(program.outputs)) {
    if (scope.nameOf(value) !== name) scope.node("Identity", [scope.nameOf(value)], name, [], name);
  }
  const model = create(ModelProtoSchema, {
    irVersion: fileNodes.files.reduce((newest, file) => (file.irVersion > newest ? file.irVersion : newest), irVersion),
    producerName: "attention-lab",
    opsetImport: [...opsets].map(([domain, version]) => ({ domain, version })),
    functions: fileNodes.files.flatMap(({ functions }) => functions),
    graph: {
      name: "graph",
      node: [...scope.nodes],
      initializer: [...initializer, ...fileNodes.initializers],
      input: [
        ...program.inputs.map((value) => valueInfo(scope.nameOf(value), value)),
        ...[...scope.fedShapes].map(([name, { length }]) => valueInfo(name, { shape: [length], dtype: "int64" })),
      ],
      output: Object.entries(program.outputs).map(([name, value]) => valueInfo(name, value)),
    },
  });
  return {
    bytes: toBinary(ModelProtoSchema, model),
    folder: weightFolder(program),
    nodes,
    fedShapes: scope.fedShapes,
  };
}
