import type { DType, Tensor } from "../tensor/index.js";
import type { SymbolicShape } from "./dims.js";

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
  | WeightSource;

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
  /** The address or other name that generated node names tell. */
  readonly label?: string;
}
