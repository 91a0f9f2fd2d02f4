import type { Dim, OnnxFile, SymbolicShape, Value } from "../../graph/index.js";
import { build, constant, fileValue, input } from "../../graph/index.js";
import { EngineError, Tensor } from "../../tensor/index.js";

/** Tensors of a file as a first run of it gave them, by name. */
export type Seen = ReadonlyMap<string, Tensor>;

/** Sizes of the batch of that run; no other axis is likely to have them. */
export interface SeenSizes {
  readonly batch: number;
  /** The axis word of each length that the file leaves open. */
  readonly lengths: ReadonlyMap<number, string>;
}

/** A file's graph while attentions in it are opened: tensors are read, and others put in their place. */
export class FileGraph {
  readonly #file: OnnxFile;
  readonly #given: Map<string, Value>;
  readonly #seen: Seen;
  readonly #sizes: SeenSizes;

  constructor(file: OnnxFile, inputs: ReadonlyMap<string, Value>, seen: Seen, sizes: SeenSizes) {
    this.#file = file;
    this.#given = new Map(inputs);
    this.#seen = seen;
    this.#sizes = sizes;
  }

  /** The length of a text in the first run as its axis word, another number as it is. */
  length(size: number): Dim {
    return this.#sizes.lengths.get(size) ?? size;
  }

  /** 0, 1, 2 … along a sequence that had this length, int32 [batch or 1, length]. */
  positions(size: number): Value {
    const word = this.length(size);
    if (typeof word === "string") {
      return input(word === "target" ? "decoder_index" : "token_index", "int32", ["batch", word]);
    }
    return constant(
      new Tensor(
        "int32",
        [1, size],
        Int32Array.from({ length: size }, (_, t) => t),
      ),
    );
  }

  /** key − query of two such sequences, positive for keys behind a query, [batch or 1,1,Q,K]. */
  ahead(queries: number, keys: number): Value {
    return build.sub(build.unsqueeze(this.positions(keys), [1, 2]), build.unsqueeze(this.positions(queries), [1, 3]));
  }

  /** The first axis of a tensor: the batch, unless it has another size. */
  batch(size: number): Dim {
    return size === this.#sizes.batch ? "batch" : size;
  }

  /** What a tensor held in the first run. */
  seen(name: string): Tensor {
    const tensor = this.#seen.get(name);
    if (!tensor) throw new EngineError(`onnx: tensor "${name}" was not looked at`);
    return tensor;
  }

  /** A tensor of the file in float32. A shape of its own is given where sizes could be mistaken. */
  read(name: string, shape?: SymbolicShape): Value {
    const value = this.raw(name, shape);
    return value.dtype === "float16" ? build.cast(value, "float32") : value;
  }

  /** A tensor of the file as it is. */
  raw(name: string, shape?: SymbolicShape): Value {
    const replaced = this.#given.get(name);
    if (replaced) return replaced;
    const { dtype, shape: sizes } = this.seen(name);
    const words = sizes.map((size, axis) => (axis === 0 ? this.batch(size) : this.length(size)));
    return fileValue({ file: this.#file, name, given: new Map(this.#given) }, dtype, shape ?? words);
  }

  /** Puts a value in the place of a tensor, for all that the file computes from it. */
  replace(name: string, value: Value): void {
    this.#given.set(name, build.cast(value, this.seen(name).dtype));
  }
}
