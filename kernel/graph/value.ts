import type { DType, Tensor } from "../tensor/index.js";
import type { Dim, SymbolicShape } from "./dims.js";
import type { FunctionProto, GraphProto } from "./proto/onnx_pb.js";

/** What an operator's attribute may hold; `dims` attributes hold axis words too. */
export type Attribute = number | string | readonly (number | string)[];

export type Attributes = Readonly<Record<string, Attribute>>;

/** Shape and element type of a value. */
export interface Type {
  readonly shape: SymbolicShape;
  readonly dtype: DType;
}

/** Bytes of a file that hold a weight: they go from the file to onnxruntime without passing through JavaScript. */
export interface WeightSource {
  readonly kind: "weight";
  readonly name: string;
  /** Real path of the file. */
  readonly path: string;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Element type in the file; anything but the value's own dtype is cast. */
  readonly storage: DType | "bfloat16";
  /** Changes when the file does. */
  readonly version: string;
}

/** Where a leaf comes from. */
export type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly tensor: Tensor }
  /** A leaf of a loop's body, which has a value only while the loop runs. */
  | { readonly kind: "slot" }
  | WeightSource;

/** The graph of an ONNX file, run as it stands: its operators need not be in the graph language. */
export interface OnnxFile {
  /** Tells files apart, and changes when the file does. */
  readonly version: string;
  /** Nodes in order; large tensors lie in files of `folder`. */
  readonly graph: GraphProto;
  readonly functions: readonly FunctionProto[];
  /** Operator set by domain; the standard one under "". */
  readonly opsets: ReadonlyMap<string, bigint>;
  readonly irVersion: bigint;
  /** Folder that holds the weights; undefined where the file holds them all. */
  readonly folder: string | undefined;
  readonly weightBytes: number;
}

/**
 * A body that runs several times, written in values of its own. Operands of its results are the first state, then the
 * sequences, then what the body reads from outside.
 */
export interface Loop {
  readonly times: Dim;
  /** From the last slices to the first. */
  readonly reverse: boolean;
  /** Leaves of the body: the state, one slice of each sequence, and what it reads from outside. */
  readonly state: readonly Value[];
  readonly slices: readonly Value[];
  readonly captured: readonly Value[];
  /** The next state. */
  readonly next: readonly Value[];
  /** What each turn may keep; the state it began with comes last. */
  readonly collect: readonly Value[];
}

/**
 * One value of the graph language: an operator on other values, or a leaf.
 * Immutable; compared by identity; a graph is whatever its outputs reach.
 */
export interface Value extends Type {
  /** The operator's ONNX name; empty for a leaf. */
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly source?: Source;
  /** The loop whose result this value is. */
  readonly loop?: Loop;
  /** The file whose nodes compute this value. */
  readonly file?: OnnxFile;
  /** The address or other name that generated node names tell. */
  readonly label?: string;
}
