import { matrixRamp, type PaletteName, type ScaleName } from "attention-lab/figure";
import type { MatrixPayload } from "attention-lab/views";
import { rampContent, type Legend } from "../../dom/legend.js";

/** Shows the colour bar of a matrix. */
export function showRamp(
  legend: Legend,
  payload: MatrixPayload,
  look: { readonly palette: PaletteName; readonly scale: ScaleName },
): void {
  legend.show(`${payload.title} ${look.palette} ${look.scale}`, () => rampContent(matrixRamp(payload, look)));
}
