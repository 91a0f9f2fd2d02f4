import { FormatError, knownNames, Tensor, UnsupportedError } from "../../tensor/index.js";
import type { Field } from "../config.js";
import { amount, flag, only, readConfig } from "../config.js";
import type { JsonObject } from "../json.js";
import type { RgbPicture } from "./picture.js";
import type { FilterName } from "./resample.js";
import { resample } from "./resample.js";

type Sizes = Readonly<Record<string, number>>;

/** A number of pixels for all sides, or one for each side named. */
const size = (fallback: number | Sizes): Field<number | Sizes> => {
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
  return {
    read: (value) => {
      if (isCount(value)) return value;
      if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
      const given = Object.entries(value).filter(([, held]) => held !== null);
      return given.length > 0 && given.every(([, held]) => isCount(held)) ? Object.fromEntries(given) : undefined;
    },
    fallback,
    expected: "a number of pixels, or { height, width }, or { shortest_edge }",
  };
};

const channels = (fallback: readonly number[]): Field<readonly number[]> => ({
  read: (value) =>
    Array.isArray(value) && value.length === 3 && value.every((x) => typeof x === "number" && Number.isFinite(x))
      ? (value as number[])
      : undefined,
  fallback,
  expected: "three numbers",
});

/** Filters by Pillow's numbers. */
const filterNames: Readonly<Record<number, FilterName>> = { 1: "lanczos", 2: "bilinear", 3: "bicubic" };

const filterField = (fallback: FilterName): Field<FilterName> => ({
  read: (value) => (typeof value === "number" ? filterNames[value] : undefined),
  fallback,
  expected: "1 (Lanczos), 2 (bilinear) or 3 (bicubic)",
});

/** Means and deviations of CLIP's pictures, and of "anything": both as in transformers' image_utils. */
const clipMean = [0.48145466, 0.4578275, 0.40821073];
const clipStd = [0.26862954, 0.26130258, 0.27577711];
const half = [0.5, 0.5, 0.5];

interface Kind {
  /** What a bare number of pixels means. */
  readonly bare: "square" | "shortest_edge";
  readonly filter: FilterName;
  readonly crops: boolean;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const square: Kind = { bare: "square", filter: "bicubic", crops: false, mean: half, std: half };
const cropped: Kind = { bare: "shortest_edge", filter: "bicubic", crops: true, mean: clipMean, std: clipStd };

/** Defaults of transformers' image processors, by name. */
const kinds: Readonly<Record<string, Kind>> = {
  BitImageProcessor: cropped,
  CLIPImageProcessor: cropped,
  LlavaImageProcessor: cropped,
  SiglipImageProcessor: square,
  ViTImageProcessor: { ...square, filter: "bilinear" },
};

/** What comes beside the pixels, or steers how other libraries compute. */
const ignored = [
  "_processor_class", "_valid_processor_keys", "crop_pct", "data_format", "default_to_square", "device",
  "disable_grouping", "do_convert_rgb", "feature_extractor_type", "image_processor_type", "image_seq_length",
  "input_data_format", "pad_size", "processor_class", "return_tensors",
]; // prettier-ignore

/** Makes pixel values of pictures, as a model's preprocessor_config.json says. */
export interface Preprocessor {
  /** Shapes   pictures → [picture,3,height,width] float32 */
  readonly pixelValues: (pictures: readonly RgbPicture[]) => Tensor;
}

function kindOf(json: JsonObject): Kind {
  const named = json["image_processor_type"] ?? json["feature_extractor_type"];
  const name = String(named)
    .replace(/Fast$/, "")
    .replace(/FeatureExtractor$/, "ImageProcessor");
  if (!Object.hasOwn(kinds, name)) {
    const known = Object.keys(kinds);
    throw new UnsupportedError(
      `pictures: unknown image_processor_type ${JSON.stringify(named)}${knownNames(name, known)}`,
    );
  }
  return kinds[name];
}

/** The middle of a picture; what lies outside of it is black. */
function centre({ width, height, data }: RgbPicture, toWidth: number, toHeight: number): RgbPicture {
  const out = new Uint8Array(3 * toWidth * toHeight);
  // As transformers rounds: down where the picture is larger, up where it is smaller.
  const left = toWidth <= width ? Math.floor((width - toWidth) / 2) : -Math.ceil((toWidth - width) / 2);
  const top = toHeight <= height ? Math.floor((height - toHeight) / 2) : -Math.ceil((toHeight - height) / 2);
  for (let y = 0; y < toHeight; y++) {
    if (y + top < 0 || y + top >= height) continue;
    const from = Math.max(0, -left);
    const to = Math.min(toWidth, width - left);
    const start = 3 * ((y + top) * width + left);
    out.set(data.subarray(start + 3 * from, start + 3 * to), 3 * (y * toWidth + from));
  }
  return { width: toWidth, height: toHeight, data: out };
}

/** Width and height of the resized picture. */
function resizedTo({ width, height }: RgbPicture, sizes: Sizes): readonly [number, number] {
  const { height: toHeight, width: toWidth, shortest_edge: edge } = sizes;
  if (edge === undefined) return [toWidth, toHeight];
  const long = (side: number, other: number): number => Math.trunc((edge * side) / other);
  return width <= height ? [edge, long(height, width)] : [long(width, height), edge];
}

function checkedSides(name: string, given: number | Sizes, bare: Kind["bare"]): Sizes {
  if (typeof given === "number") return bare === "square" ? { height: given, width: given } : { shortest_edge: given };
  const sides = Object.keys(given).sort().join();
  if (sides !== "height,width" && sides !== "shortest_edge") {
    throw new UnsupportedError(
      `pictures: ${name} = ${JSON.stringify(given)} is not handled; expected { height, width } or { shortest_edge }`,
    );
  }
  return given;
}

const { fround } = Math;

/**
 * The preprocessor that a config describes: resize, crop the middle, rescale, normalise. Bytes are resized exactly as
 * Pillow does.
 *
 * Throws   UnsupportedError on an attribute that is not handled
 * Differs  of the "fast" processors, which resize in PyTorch, the result may differ by one step of 1/255 before
 *          normalising
 */
export function openPreprocessor(json: JsonObject): Preprocessor {
  const kind = kindOf(json);
  const config = readConfig(
    "pictures",
    json,
    {
      do_resize: flag(true),
      size: size(kind.bare === "square" ? { height: 224, width: 224 } : { shortest_edge: 224 }),
      resample: filterField(kind.filter),
      do_center_crop: flag(kind.crops),
      crop_size: size({ height: 224, width: 224 }),
      do_rescale: flag(true),
      rescale_factor: amount(1 / 255),
      do_normalize: flag(true),
      image_mean: channels(kind.mean),
      image_std: channels(kind.std),
      do_pad: only<boolean | null>(false, null),
    },
    ignored,
  );
  const sizes = checkedSides("size", config.size, kind.bare);
  const crop = checkedSides("crop_size", config.crop_size, "square");
  if (config.do_center_crop && crop["height"] === undefined) {
    throw new UnsupportedError(
      `pictures: crop_size = ${JSON.stringify(crop)} is not handled; expected { height, width }`,
    );
  }
  const { image_mean: mean, image_std: std, rescale_factor: factor } = config;
  const values = (byte: number, channel: number): number => {
    const scaled = config.do_rescale ? fround(byte * factor) : byte;
    if (!config.do_normalize) return scaled;
    return fround(fround(scaled - fround(mean[channel])) / fround(std[channel]));
  };
  const shaped = (picture: RgbPicture): RgbPicture => {
    const [width, height] = resizedTo(picture, sizes);
    const resized = config.do_resize ? resample(picture, width, height, config.resample) : picture;
    return config.do_center_crop ? centre(resized, crop["width"], crop["height"]) : resized;
  };
  return {
    pixelValues: (pictures) => {
      const all = pictures.map(shaped);
      const [{ width, height }] = all;
      const odd = all.findIndex((picture) => picture.width !== width || picture.height !== height);
      if (odd >= 0) {
        throw new FormatError(
          `pictures: picture ${odd} becomes ${all[odd].width} × ${all[odd].height} pixels, the first ${width} × ${height}; run them one by one`,
        );
      }
      const plane = width * height;
      const data = new Float32Array(3 * plane * all.length);
      const table = [0, 1, 2].map((channel) => Float32Array.from({ length: 256 }, (_, byte) => values(byte, channel)));
      all.forEach((picture, b) => {
        for (let i = 0; i < plane; i++) {
          for (let channel = 0; channel < 3; channel++) {
            data[(3 * b + channel) * plane + i] = table[channel][picture.data[3 * i + channel]];
          }
        }
      });
      return new Tensor("float32", [all.length, 3, height, width], data);
    },
  };
}
