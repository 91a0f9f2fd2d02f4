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

/** An empty sheet on a new canvas. */
export function createSheet(className: string): Sheet {
  const canvas = document.createElement("canvas");
  canvas.className = className;
  canvas.setAttribute("aria-hidden", "true");
  let levels = new Uint16Array(0);
  let image: ImageData | undefined;
  return {
    canvas,
    reset(width, height, ratio): Uint16Array {
      if (canvas.width !== width || canvas.height !== height || levels.length !== width * height) {
        canvas.width = width;
        canvas.height = height;
        levels = new Uint16Array(width * height);
        image = undefined;
      }
      canvas.style.width = `${width / ratio}px`;
      canvas.style.height = `${height / ratio}px`;
      return levels.fill(emptyLevel);
    },
    show(palette): void {
      const context = canvas.getContext("2d");
      if (!context || levels.length === 0) return;
      image ??= context.createImageData(canvas.width, canvas.height);
      colourise(levels, colourTable(palette), new Uint32Array(image.data.buffer));
      context.putImageData(image, 0, 0);
    },
    dispose(): void {
      // A canvas of size 0 gives its pixels back at once instead of at the next garbage collection.
      canvas.width = 0;
      canvas.height = 0;
      levels = new Uint16Array(0);
      image = undefined;
    },
  };
}
