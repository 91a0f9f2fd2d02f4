import type { Dim, OnnxFile, Value } from "../../graph/index.js";
import { input } from "../../graph/index.js";
import { TensorProto_DataType as Element } from "../../graph/proto/onnx_pb.js";
import type { DType } from "../../tensor/index.js";
import { formatShape, packNumbers, sizeOf, Tensor, UnsupportedError } from "../../tensor/index.js";
import type { Batch } from "../family.js";
import { arange } from "../feeds.js";

const dtypes = new Map<number, DType>([
  [Element.FLOAT, "float32"],
  [Element.FLOAT16, "float16"],
  [Element.INT64, "int64"],
  [Element.INT32, "int32"],
  [Element.BOOL, "bool"],
]);

/** An input that a file declares. */
export interface FileInput {
  readonly name: string;
  readonly dtype: DType;
  /** Axis words of models where the file leaves a size open. */
  readonly shape: readonly Dim[];
  /** What it is fed with. */
  readonly role: Role;
}

type Role = "ids" | "mask" | "types" | "positions" | "index" | "past" | "branch" | "lengths" | "total";

/** Names as exporters spell them; the first that fits decides. */
const roles: readonly (readonly [RegExp, Role, rank: number])[] = [
  [/^(input_ids|input|tokens|ids)$/, "ids", 2],
  [/^(attention_mask|input_mask|mask)$/, "mask", 2],
  [/^(token_type_ids|segment_ids)$/, "types", 2],
  [/^position_ids$/, "positions", 2],
  [/^cache_position$/, "index", 1],
  [/past/, "past", 4],
  [/^use_cache_branch$/, "branch", 1],
  [/^seqlens_k$/, "lengths", 1],
  [/^total_sequence_length$/, "total", 0],
];

function roleOf(place: string, name: string, rank: number): Role {
  const found = roles.find(([pattern, , wanted]) => pattern.test(name) && (wanted === rank || wanted === 0));
  if (!found) {
    const known =
      "input_ids, attention_mask, token_type_ids, position_ids, cache_position, past_key_values, use_cache_branch, seqlens_k, total_sequence_length";
    throw new UnsupportedError(`${place}: input "${name}" of rank ${rank} is not one that is fed; known: ${known}`);
  }
  return found[1];
}

const axes: Readonly<Record<Role, readonly string[]>> = {
  ids: ["batch", "query"],
  mask: ["batch", "query"],
  types: ["batch", "query"],
  positions: ["batch", "query"],
  index: ["query"],
  past: ["batch", "past heads", "past", "past dim"],
  branch: ["one"],
  lengths: ["batch"],
  total: ["one"],
};

/**
 * The inputs that a file declares, each with what it is fed.
 *
 * Throws   UnsupportedError on an input that no model input stands for
 */
export function fileInputs(place: string, { graph }: OnnxFile): readonly FileInput[] {
  return graph.input.map(({ name, type }) => {
    if (type?.value.case !== "tensorType" || !type.value.value.shape) {
      throw new UnsupportedError(`${place}: input "${name}" is no tensor of known rank`);
    }
    const { elemType, shape } = type.value.value;
    const dtype = dtypes.get(elemType);
    if (!dtype) throw new UnsupportedError(`${place}: input "${name}" holds ${Element[elemType] ?? elemType}`);
    const role = roleOf(place, name, shape.dim.length);
    const dims = shape.dim.map(({ value }, axis): Dim =>
      value.case === "dimValue" ? Number(value.value) : (axes[role][axis] ?? `${name}.${axis}`),
    );
    return { name, dtype, role, shape: dims };
  });
}

/** The inputs as graph values. */
export function inputValues(inputs: readonly FileInput[]): ReadonlyMap<string, Value> {
  return new Map(inputs.map(({ name, dtype, shape }) => [name, input(name, dtype, shape)]));
}

function numbersOf({ role }: FileInput, batch: Batch): readonly number[] | Int32Array {
  const { size, length, inputIds, attentionMask, tokenTypeIds, positionIds } = batch;
  switch (role) {
    case "ids":
      return inputIds;
    case "mask":
      return attentionMask;
    case "types":
      return tokenTypeIds;
    case "positions":
      return positionIds ?? arange(batch);
    case "index":
      return Array.from({ length }, (_, t) => t);
    case "lengths":
      return Array.from({ length: size }, (_, b) =>
        attentionMask.subarray(b * length, (b + 1) * length).reduce((a, x) => a + x, -1),
      );
    case "total":
      return [length];
    case "branch":
      return [0];
    case "past":
      return [];
  }
}

/**
 * The feeds of a file; what came before the first token is empty.
 *
 * Throws   UnsupportedError where the file fixes a size to another one
 */
export function feedsOf(inputs: readonly FileInput[], batch: Batch): Readonly<Record<string, Tensor>> {
  const sizes: Readonly<Record<string, number>> = { batch: batch.size, query: batch.length, past: 0, one: 1 };
  return Object.fromEntries(
    inputs.map((held) => {
      const { name, dtype, shape } = held;
      const size = shape.map((dim) => (typeof dim === "number" ? dim : (sizes[dim] ?? 1)));
      const numbers = numbersOf(held, batch);
      if (sizeOf(size) !== numbers.length) {
        throw new UnsupportedError(
          `run: input "${name}" of the file is ${formatShape(shape)}, but the batch has ${batch.size} prompts of ${batch.length} tokens`,
        );
      }
      return [name, new Tensor(dtype, size, packNumbers(dtype, numbers))] as const;
    }),
  );
}
