import {
  largestWeight,
  paletteColours,
  scalePosition,
  scaleTicks,
  type PaletteName,
  type ScaleName,
} from "attention-lab/figure";
import { createLegend } from "../../dom/legend.js";
import { shadeLegend } from "../../text/shadeLegend.js";
import type { Words } from "../../words.js";
import type { HeadGridModel } from "./model.js";

/** The colour bar: a ramp with ticks that states the scale. */
export interface ColourLegend {
  readonly node: HTMLElement;
  /** `asText`: of shaded words instead of squares. */
  readonly show: (palette: PaletteName, scale: ScaleName, asText: boolean) => void;
}

/** An empty colour bar. */
export function createColourLegend(model: HeadGridModel, words: Words): ColourLegend {
  const legend = createLegend();
  const largest = String(Number(largestWeight(model.payload).toPrecision(3)));
  return {
    node: legend.node,
    show(palette, scale, asText): void {
      if (asText) {
        const look = { kind: "sequential", scale, top: model.top } as const;
        return legend.show(`text ${scale}`, () => shadeLegend(look, words.__("attention weight")));
      }
      const scaleWords = scale === "sqrt" ? words.__("square-root scale") : words.__("linear scale");
      legend.show(`${palette} ${scale}`, () => ({
        colours: paletteColours(palette, 16),
        ticks: scaleTicks(model.top, scale).map((value) => ({ value, place: scalePosition(value, model.top, scale) })),
        text: words.__("Attention weight from 0 to %1, %2; the largest is %3", model.top, scaleWords, largest),
      }));
    },
  };
}
