import type { PaletteName } from "attention-lab/figure";
import { colourise, colourTable, emptyLevel } from "./raster.js";

/** A canvas that keeps the level of each of its pixels, so that a change of palette needs no data. */
export interface Sheet {
  readonly canvas: HTMLCanvasElement;
  /** Starts anew with a size in device pixels; shown at `width / ratio` CSS pixels. */
  readonly reset: (width: number, height: number, ratio: number) => Uint16Array;
  /** Colours the levels and shows them. */
  readonly show: (palette: PaletteName) => void;
  readonly dispose: () => void;
}

const bandPixels = 1 << 16;

/** An empty sheet on a new canvas. */
export function createSheet(className: string): Sheet {
  const canvas = document.createElement("canvas");
  canvas.className = className;
  canvas.setAttribute("aria-hidden", "true");
  let levels = new Uint16Array(0);
  return {
    canvas,
    reset(width, height, ratio): Uint16Array {
      if (canvas.width !== width || canvas.height !== height || levels.length !== width * height) {
        canvas.width = width;
        canvas.height = height;
        levels = new Uint16Array(width * height);
      }
      canvas.style.width = `${width / ratio}px`;
      canvas.style.height = `${height / ratio}px`;
      return levels.fill(emptyLevel);
    },
    show(palette): void {
      const context = canvas.getContext("2d");
      if (!context || levels.length === 0) return;
      // A band at a time: pixels of the whole would take twice the room of the levels, and stay.
      const { width, height } = canvas;
      const table = colourTable(palette);
      const band = context.createImageData(width, Math.min(height, Math.ceil(bandPixels / width)));
      const pixels = new Uint32Array(band.data.buffer);
      for (let y = 0; y < height; y += band.height) {
        colourise(levels.subarray(y * width, (y + band.height) * width), table, pixels);
        context.putImageData(band, 0, y);
      }
    },
    dispose(): void {
      // A canvas of size 0 gives its pixels back at once instead of at the next garbage collection.
      canvas.width = 0;
      canvas.height = 0;
      levels = new Uint16Array(0);
    },
  };
}
