/** A picture: red, green and blue of each pixel, row by row, 0…255. */
export interface PixelPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Levels of red, green and blue in the colours of a stored picture: 252 colours. */
const levels = [6, 7, 6] as const;

/** Where the error of a pixel goes: right, and below to the left, straight and to the right. */
const diffusion = [[1, 0, 7 / 16], [-1, 1, 3 / 16], [0, 1, 5 / 16], [1, 1, 1 / 16]] as const; // prettier-ignore

/**
 * A picture in 252 evenly spaced colours, the error of each pixel passed on to its neighbours: one byte for each pixel.
 *
 * Shapes   → [height · width], places in `pictureTable()`
 * Source   error diffusion: Floyd and Steinberg 1976
 */
export function pictureIndices({ width, height, data }: PixelPicture): Uint8Array {
  const wanted = Float32Array.from(data);
  const indices = new Uint8Array(width * height);
  for (let at = 0; at < indices.length; at++) {
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let channel = 0; channel < 3; channel++) {
      const last = levels[channel] - 1;
      const value = wanted[3 * at + channel];
      const level = Math.min(last, Math.max(0, Math.round((value / 255) * last)));
      indices[at] = indices[at] * levels[channel] + level;
      const error = value - (level / last) * 255;
      for (const [right, below, share] of diffusion) {
        if (x + right < 0 || x + right >= width || y + below >= height) continue;
        wanted[3 * (at + right + below * width) + channel] += error * share;
      }
    }
  }
  return indices;
}

/** The colours of `pictureIndices`, [256,4] red, green, blue, opacity; the last four are in no picture. */
export function pictureTable(): Uint8Array {
  const [red, green, blue] = levels;
  return Uint8Array.from(
    Array.from({ length: 256 }, (_, index) => [
      Math.round(Math.min(1, Math.floor(index / (green * blue)) / (red - 1)) * 255),
      Math.round(((Math.floor(index / blue) % green) / (green - 1)) * 255),
      Math.round(((index % blue) / (blue - 1)) * 255),
      255,
    ]).flat(),
  );
}

/** A picture no larger than `longest` on either side, each pixel the mean of those it stands for. */
export function smallerPicture(picture: PixelPicture, longest: number): PixelPicture {
  const { width, height, data } = picture;
  const scale = Math.min(1, longest / Math.max(width, height));
  if (scale === 1) return picture;
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const small = new Uint8Array(across * down * 3);
  for (let y = 0; y < down; y++) {
    const [top, bottom] = [Math.floor((y * height) / down), Math.ceil(((y + 1) * height) / down)];
    for (let x = 0; x < across; x++) {
      const [left, right] = [Math.floor((x * width) / across), Math.ceil(((x + 1) * width) / across)];
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) sum += data[3 * (row * width + column) + channel];
        }
        small[3 * (y * across + x) + channel] = Math.round(sum / ((bottom - top) * (right - left)));
      }
    }
  }
  return { width: across, height: down, data: small };
}
