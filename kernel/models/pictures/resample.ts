import type { RgbPicture } from "./picture.js";

/** Weight of a pixel at a distance, and the distance beyond which it is 0; both in pixels of the result. */
interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
}

export type FilterName = "lanczos" | "bilinear" | "bicubic";

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The cubic of Keys 1981 eq. 4 with the free parameter that Pillow takes. */
const sharpness = -0.5;

const filters: Readonly<Record<FilterName, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (distance) => {
      const x = Math.abs(distance);
      if (x < 1) return ((sharpness + 2) * x - (sharpness + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * sharpness : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Fractional bits of Pillow's weights for bytes. */
const one = 2 ** 22;

/** The first pixel that counts, and the weight of each from there on, as whole multiples of 2⁻²². */
interface Reach {
  readonly start: number;
  readonly weights: readonly number[];
}

function reachesOf(from: number, to: number, { support, weight }: Filter): readonly Reach[] {
  const scale = from / to;
  // A smaller picture is an average: the filter grows with the step.
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support * stretch + 0.5));
    const end = Math.min(from, Math.trunc(centre + support * stretch + 0.5));
    const raw = Array.from({ length: end - start }, (_, j) => weight((j + start - centre + 0.5) / stretch));
    const sum = raw.reduce((total, w) => total + w, 0);
    return { start, weights: raw.map((w) => Math.sign(w) * Math.trunc(0.5 + (Math.abs(w) / sum) * one)) };
  });
}

/** One byte from a sum of bytes times weights. */
const byteOf = (sum: number): number => Math.min(255, Math.max(0, Math.floor((sum + one / 2) / one)));

/**
 * A picture at another size, with the same bytes as from `Image.resize` of Pillow up to 12: first along rows, then along columns,
 * rounded to bytes between.
 *
 * Shapes   [height,width,3] → [newHeight,newWidth,3]
 * Differs  Pillow 13 takes columns first where the height shrinks much more than the width: some bytes come out otherwise
 * Source   formulas of Pillow's `libImaging/Resample.c`; filters Keys 1981 (doi 10.1109/TASSP.1981.1163711), Duchon 1979
 */
export function resample(
  { width, height, data }: RgbPicture,
  newWidth: number,
  newHeight: number,
  name: FilterName,
): RgbPicture {
  const filter = filters[name];
  let rows = data;
  if (newWidth !== width) {
    rows = new Uint8Array(3 * newWidth * height);
    reachesOf(width, newWidth, filter).forEach(({ start, weights }, x) => {
      for (let y = 0; y < height; y++) {
        for (let channel = 0; channel < 3; channel++) {
          const first = 3 * (y * width + start) + channel;
          let sum = 0;
          for (let j = 0; j < weights.length; j++) sum += data[first + 3 * j] * weights[j];
          rows[3 * (y * newWidth + x) + channel] = byteOf(sum);
        }
      }
    });
  }
  if (newHeight === height) return { width: newWidth, height, data: rows };
  const pitch = 3 * newWidth;
  const out = new Uint8Array(pitch * newHeight);
  reachesOf(height, newHeight, filter).forEach(({ start, weights }, y) => {
    for (let i = 0; i < pitch; i++) {
      let sum = 0;
      for (let j = 0; j < weights.length; j++) sum += rows[(start + j) * pitch + i] * weights[j];
      out[y * pitch + i] = byteOf(sum);
    }
  });
  return { width: newWidth, height: newHeight, data: out };
}
