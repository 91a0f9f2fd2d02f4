import { shadeRamp, type ShadeLook } from "attention-lab/figure";
import { rampContent, type LegendContent } from "../dom/legend.js";

/** The colour bar of shaded words. */
export function shadeLegend(look: ShadeLook, measure: string): LegendContent {
  return rampContent(shadeRamp(look, measure));
}
