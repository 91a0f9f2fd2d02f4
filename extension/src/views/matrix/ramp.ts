import { matrixRamp, scaleNames, type PaletteName, type ScaleName } from "attention-lab/figure";
import type { MatrixPayload } from "attention-lab/views";
import { choice } from "../../dom/choice.js";
import type { Legend } from "../../dom/legend.js";
import type { Words } from "../../words.js";

/** A chooser of the colour scale. */
export function scaleChoice(words: Words, onChoice: (scale: ScaleName) => void): HTMLSelectElement {
  const labels: Readonly<Record<ScaleName, string>> = { linear: words.__("linear"), sqrt: words.__("square root") };
  return choice(
    words.__("Colour scale"),
    scaleNames.map((name) => ({ value: name, label: labels[name] })),
    (value) => onChoice(value as ScaleName),
  );
}

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
