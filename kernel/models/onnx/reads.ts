import type { OnnxFile } from "../../graph/index.js";
import { initializersOf } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import type { DecoderSide } from "../family.js";
import type { JsonObject } from "../json.js";
import type { PatchGrid } from "../patchGrid.js";
import { sides } from "../patches.js";
import type { FileInput } from "./feeds.js";

/** What stands for a size that neither the file nor its config names. */
const unlimited = 2 ** 31;

/** What a file reads, as far as its inputs, its weights and its config tell. */
export interface FileReads {
  readonly vocabulary: number;
  /** Longest prompt. */
  readonly positions: number;
  /** Pictures in place of a text; whether a class token comes before their patches shows when the file runs. */
  readonly grid?: Omit<PatchGrid, "hasClass">;
  /** Sounds in place of a text. */
  readonly features?: NonNullable<DecoderSide["features"]>;
  /** What a decoder reads besides. */
  readonly decoder?: Pick<DecoderSide, "startId" | "positions">;
}

/** The first of these attributes that is a positive whole number. */
export function whole(config: JsonObject, names: readonly string[]): number | undefined {
  const found = names.map((name) => config[name]).find((value) => Number.isSafeInteger(value) && (value as number) > 0);
  return found as number | undefined;
}

/** The embedding table's rows: the largest id that the file can look up. */
function embeddedRows({ graph }: OnnxFile, ids: FileInput | undefined): number | undefined {
  const gather = graph.node.find(({ opType, input }) => opType === "Gather" && input[1] === ids?.name);
  const table = graph.node.find(
    ({ opType, output }) => opType === "DequantizeLinear" && output[0] === gather?.input[0],
  );
  const rows = gather ? initializersOf(graph).get(table?.input[0] ?? gather.input[0])?.dims[0] : undefined;
  return rows === undefined ? undefined : Number(rows);
}

/** Height and width of the patches that a convolution cuts a picture into. */
function convolved({ graph }: OnnxFile, pixels: FileInput): readonly [number, number] | undefined {
  const convolution = graph.node.find(({ opType, input }) => opType === "Conv" && input[0] === pixels.name);
  const dims = convolution && initializersOf(graph).get(convolution.input[1])?.dims.map(Number);
  return dims?.length === 4 ? [dims[2], dims[3]] : undefined;
}

function gridOf(place: string, file: OnnxFile, pixels: FileInput, config: JsonObject): FileReads["grid"] {
  const held = (name: string): readonly [number, number] | undefined => sides(1).read(config[name] ?? null);
  const fixed = pixels.shape.map((dim) => (typeof dim === "number" ? dim : undefined));
  const [height, width] = [fixed[2] ?? held("image_size")?.[0], fixed[3] ?? held("image_size")?.[1]];
  const [patchHeight, patchWidth] = convolved(file, pixels) ?? held("patch_size") ?? [];
  if (height === undefined || width === undefined || patchHeight === undefined || patchWidth === undefined) {
    throw new UnsupportedError(
      `${place}: neither the file nor a config.json beside it fixes the size of pictures and patches (image_size, patch_size)`,
    );
  }
  const channels = fixed[1] ?? whole(config, ["num_channels"]) ?? 3;
  return { channels, height, width, patchHeight, patchWidth, interpolates: false };
}

function featuresOf(place: string, { shape }: FileInput, config: JsonObject): FileReads["features"] {
  const [, bins = whole(config, ["num_mel_bins"]), half = whole(config, ["max_source_positions"])] = shape.map((dim) =>
    typeof dim === "number" ? dim : undefined,
  );
  const frames = typeof shape[2] === "number" ? shape[2] : half && 2 * half;
  if (bins !== undefined && frames !== undefined) return { bins, frames };
  throw new UnsupportedError(
    `${place}: neither the file nor a config.json beside it fixes the size of sounds (num_mel_bins, max_source_positions)`,
  );
}

/**
 * What a file reads: a text, pictures or sounds, and with a decoder what that has written so far.
 *
 * Throws   UnsupportedError on pictures beside a text, on sounds without a decoder, and where sizes are not known
 */
export function readsOf(place: string, file: OnnxFile, inputs: readonly FileInput[], config: JsonObject): FileReads {
  const of = (role: FileInput["role"]): FileInput | undefined => inputs.find((input) => input.role === role);
  const [ids, pixels, sounds, written] = [of("ids"), of("pixels"), of("features"), of("decoderIds")];
  const several = [ids, pixels, sounds].flatMap((input) => (input ? [input.name] : []));
  if (several.length > 1) throw new UnsupportedError(`${place}: ${several.join(" and ")} are not fed together`);
  if (several.length === 0) throw new UnsupportedError(`${place}: no text, picture or sound is fed`);
  if (sounds && !written) throw new UnsupportedError(`${place}: a file that reads sounds needs its decoder in it`);
  const startId = config["decoder_start_token_id"];
  const features = sounds && featuresOf(place, sounds, config);
  const spoken = features && features.frames / 2;
  const vocabulary = whole(config, ["vocab_size"]) ?? embeddedRows(file, written ?? ids) ?? unlimited;
  const most = ["max_position_embeddings", "n_positions", "n_ctx"];
  return {
    vocabulary: pixels ? 0 : vocabulary,
    positions: spoken ?? whole(config, most) ?? unlimited,
    ...(pixels ? { grid: gridOf(place, file, pixels, config)! } : {}),
    ...(features ? { features } : {}),
    ...(written
      ? {
          decoder: {
            startId: typeof startId === "number" ? startId : undefined,
            positions: whole(config, ["max_target_positions", ...most]) ?? unlimited,
          },
        }
      : {}),
  };
}
