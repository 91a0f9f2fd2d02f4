import { shadeRamp, type ShadeLook } from "attention-lab/figure";
import type { LegendContent } from "../dom/legend.js";

const steps = 23;

/** The colour bar of shaded words. */
export function shadeLegend(look: ShadeLook, measure: string): LegendContent {
  const { colours, indices, ticks, meaning } = shadeRamp(look, measure);
  const stops = Array.from({ length: steps }, (_, at) => Math.round((at / (steps - 1)) * (indices.length - 1)));
  return {
    colours: Uint8Array.from(stops.flatMap((at) => [...colours.subarray(at * 4, at * 4 + 3)])),
    ticks,
    text: meaning,
  };
}
