import { FormatError, OptionError } from "../../tensor/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Host } from "../host.js";
import type { JsonObject } from "../json.js";
import { readJson } from "../json.js";
import type { PictureSource, RgbPicture } from "./picture.js";
import { asRgb } from "./picture.js";
import { openPreprocessor } from "./preprocess.js";

/** Pixel values of pictures, as a model wants them. */
export type PictureReader = (sources: PictureSource | readonly PictureSource[]) => Promise<Tensor>;

/** What reads pictures from files. */
export type PictureHost = Pick<Host, "files" | "decodePicture">;

async function pictureOf({ files, decodePicture }: PictureHost, source: unknown, place: string): Promise<RgbPicture> {
  if (source instanceof Uint8Array) return asRgb(place, decodePicture(place, source));
  if (typeof source !== "string") return asRgb(place, source);
  const path = files.resolve(source);
  const found = await files.stat(path);
  if (found?.kind !== "file") throw new FormatError(`${place}: no file ${path}`);
  return asRgb(path, decodePicture(path, await files.readBytes(path, 0, found.sizeBytes)));
}

/** Reads pictures as the preprocessor_config.json of a model's folder says; undefined where there is none. */
export async function pictureReader(host: Host, folder: string): Promise<PictureReader | undefined> {
  const { files } = host;
  const name = "preprocessor_config.json";
  if (!(await files.list(folder)).includes(name)) return undefined;
  return readerFrom(host, await readJson(files, files.resolve(folder, name)));
}

/** Reads pictures as the attributes of a preprocessor_config.json say. */
export function readerFrom(host: PictureHost, json: JsonObject): PictureReader {
  return async (sources) => {
    const preprocessor = openPreprocessor(json);
    const list: readonly unknown[] = Array.isArray(sources) ? sources : [sources];
    if (list.length === 0) throw new OptionError("pictures: expected at least one picture, got an empty list");
    const pictures = await Promise.all(list.map((source, i) => pictureOf(host, source, `pictures: picture ${i}`)));
    return preprocessor.pixelValues(pictures);
  };
}
