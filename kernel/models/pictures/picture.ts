import { OptionError, ShapeError, wholeNumber } from "../../tensor/index.js";

/** Pixels row by row, three or four bytes each: red, green, blue and, where there are four, an opacity that is left out. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** A picture as it may be given: the path of a PNG or JPEG file, the bytes of one, or its pixels. */
export type PictureSource = string | Uint8Array | Picture;

/** Red, green and blue only. */
export interface RgbPicture extends Picture {
  readonly data: Uint8Array;
}

/**
 * A picture with three bytes per pixel.
 *
 * Throws   OptionError, ShapeError unless width, height and the number of bytes fit
 */
export function asRgb(place: string, picture: unknown): RgbPicture {
  const { width, height, data } = (picture ?? {}) as Partial<Picture>;
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw new OptionError(
      `${place}: expected a path, the bytes of a PNG or JPEG file, or { width, height, data }, got ${picture === null ? "null" : typeof picture}`,
    );
  }
  for (const [name, size] of Object.entries({ width, height })) wholeNumber(place, name, size);
  const count = (width as number) * (height as number);
  if (data.length !== 3 * count && data.length !== 4 * count) {
    throw new ShapeError(
      `${place}: data of ${width} × ${height} pixels must have ${3 * count} or ${4 * count} bytes, got ${data.length}`,
    );
  }
  const channels = data.length / count;
  const rgb = new Uint8Array(3 * count);
  for (let i = 0; i < count; i++) {
    for (let channel = 0; channel < 3; channel++) rgb[3 * i + channel] = data[channels * i + channel];
  }
  return { width: width as number, height: height as number, data: rgb };
}
