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

type Role =
  | ("ids" | "mask" | "types" | "positions" | "index" | "past" | "branch" | "lengths" | "total")
  | ("decoderIds" | "decoderMask" | "pixels" | "features");

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
  [/^decoder_input_ids$/, "decoderIds", 2],
  [/^decoder_attention_mask$/, "decoderMask", 2],
  [/^(pixel_values|images?|input)$/, "pixels", 4],
  [/^input_features$/, "features", 3],
];

const known = [
  ...["input_ids", "attention_mask", "token_type_ids", "position_ids", "decoder_input_ids", "decoder_attention_mask"],
  ...["pixel_values", "input_features", "cache_position", "past_key_values", "use_cache_branch", "seqlens_k"],
  "total_sequence_length",
].join(", ");

function roleOf(place: string, name: string, rank: number): Role {
  const found = roles.find(([pattern, , wanted]) => pattern.test(name) && (wanted === rank || wanted === 0));
  if (found) return found[1];
  throw new UnsupportedError(`${place}: input "${name}" of rank ${rank} is not one that is fed; known: ${known}`);
}

/** Axis words of each input; in a file with a decoder, the prompts are the source and what the decoder reads the target. */
function axesOf(role: Role, isPair: boolean): readonly string[] {
  const prompt = isPair ? "source" : "query";
  switch (role) {
    case "ids":
    case "mask":
    case "types":
    case "positions":
      return ["batch", prompt];
    case "decoderIds":
    case "decoderMask":
      return ["batch", "target"];
    case "index":
      return [isPair ? "target" : "query"];
    case "past":
      return ["batch", "past heads", "past", "past dim"];
    case "lengths":
      return ["batch"];
    case "branch":
    case "total":
      return ["one"];
    case "pixels":
      return ["batch", "channels", "height", "width"];
    case "features":
      return ["batch", "bins", "frames"];
  }
}

/**
 * The inputs that a file declares, each with what it is fed.
 *
 * Throws   UnsupportedError on an input that no model input stands for
 */
export function fileInputs(place: string, { graph }: OnnxFile): readonly FileInput[] {
  const declared = graph.input.map(({ name, type }) => {
    if (type?.value.case !== "tensorType" || !type.value.value.shape) {
      throw new UnsupportedError(`${place}: input "${name}" is no tensor of known rank`);
    }
    const { elemType, shape } = type.value.value;
    const dtype = dtypes.get(elemType);
    if (!dtype) throw new UnsupportedError(`${place}: input "${name}" holds ${Element[elemType] ?? elemType}`);
    return { name, dtype, role: roleOf(place, name, shape.dim.length), dims: shape.dim };
  });
  const isPair = declared.some(({ role }) => role === "decoderIds");
  return declared.map(({ name, dtype, role, dims }) => {
    const axes = axesOf(role, isPair);
    const shape = dims.map(({ value }, axis): Dim =>
      value.case === "dimValue" ? Number(value.value) : (axes[axis] ?? `${name}.${axis}`),
    );
    return { name, dtype, role, shape };
  });
}

/** The inputs as graph values. */
export function inputValues(inputs: readonly FileInput[]): ReadonlyMap<string, Value> {
  return new Map(inputs.map(({ name, dtype, shape }) => [name, input(name, dtype, shape)]));
}

function numbersOf({ role }: FileInput, batch: Batch): ArrayLike<number> {
  const { size, length, inputIds, attentionMask, tokenTypeIds, positionIds, decoder } = batch;
  switch (role) {
    case "ids":
      return inputIds;
    case "mask":
      return attentionMask;
    case "types":
      return tokenTypeIds;
    case "positions":
      return positionIds ?? arange(batch);
    case "decoderIds":
      return decoder?.inputIds ?? [];
    case "decoderMask":
      return decoder?.attentionMask ?? [];
    case "index":
      return Array.from({ length: (decoder ?? batch).length }, (_, t) => t);
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
    case "pixels":
      return batch.patches?.feeds["pixel_values"].numbers() ?? [];
    case "features":
      return batch.features?.numbers() ?? [];
  }
}

/** What the axis words mean for one batch. */
function sizesOf({ size, length, decoder, patches, features }: Batch): Readonly<Record<string, number>> {
  const [, channels, height, width] = patches?.feeds["pixel_values"].shape ?? [];
  const [, bins, frames] = features?.shape ?? [];
  const lengths = { query: length, source: length, target: decoder?.length ?? 0, past: 0 };
  return { batch: size, ...lengths, one: 1, channels, height, width, bins, frames };
}

/**
 * The feeds of a file; what came before the first token is empty.
 *
 * Throws   UnsupportedError where the file fixes a size to another one
 */
export function feedsOf(inputs: readonly FileInput[], batch: Batch): Readonly<Record<string, Tensor>> {
  const sizes = sizesOf(batch);
  return Object.fromEntries(
    inputs.map((held) => {
      const { name, dtype, shape } = held;
      const size = shape.map((dim) => (typeof dim === "number" ? dim : (sizes[dim] ?? 1)));
      const numbers = numbersOf(held, batch);
      if (sizeOf(size) !== numbers.length) {
        const length = held.role.startsWith("decoder") ? sizes["target"] : batch.length;
        throw new UnsupportedError(
          `run: input "${name}" of the file is ${formatShape(shape)}, but the batch has ${batch.size} prompts of ${length} tokens`,
        );
      }
      return [name, new Tensor(dtype, size, packNumbers(dtype, numbers))] as const;
    }),
  );
}

/** How long the sequences are whose length a file leaves open, and how each is called. */
export function openLengths(inputs: readonly FileInput[], batch: Batch): ReadonlyMap<number, string> {
  const sizes = sizesOf(batch);
  const words = new Set(inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string")));
  return new Map(["query", "source", "target"].filter((word) => words.has(word)).map((word) => [sizes[word], word]));
}
