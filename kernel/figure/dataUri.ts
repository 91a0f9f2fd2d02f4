import { encodeBase64 } from "../views/index.js";
import { palettePng, type PalettePicture } from "./png.js";

/** A palette picture as a `data:` address. */
export function pictureAddress(picture: PalettePicture): string {
  return `data:image/png;base64,${encodeBase64(palettePng(picture))}`;
}
