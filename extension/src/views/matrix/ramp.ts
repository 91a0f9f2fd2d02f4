import { matrixRamp, type PaletteName, type ScaleName } from "attention-lab/figure";
import type { MatrixPayload } from "attention-lab/views";
import type { Legend } from "../../dom/legend.js";

/** Shows the colour bar of a matrix. */
export function showRamp(
  legend: Legend,
  payload: MatrixPayload,
  look: { readonly palette: PaletteName; readonly scale: ScaleName },
): void {
  legend.show(`${payload.title} ${look.palette} ${look.scale}`, () => {
    const { colours, indices, ticks, meaning } = matrixRamp(payload, look);
    const stops = Array.from({ length: 23 }, (_, at) => Math.round((at / 22) * (indices.length - 1)));
    return {
      colours: Uint8Array.from(stops.flatMap((at) => [...colours.subarray(at * 4, at * 4 + 3)])),
      ticks,
      text: meaning,
    };
  });
}
