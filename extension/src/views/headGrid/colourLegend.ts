import {
  largestWeight,
  paletteColours,
  scalePosition,
  scaleTicks,
  type PaletteName,
  type ScaleName,
} from "attention-lab/figure";
import { element } from "../../dom/element.js";
import type { Words } from "../../words.js";
import type { HeadGridModel } from "./model.js";

/** The colour bar: a ramp with ticks that states the scale. */
export interface ColourLegend {
  readonly node: HTMLElement;
  readonly show: (palette: PaletteName, scale: ScaleName) => void;
}

/** An empty colour bar. */
export function createColourLegend(model: HeadGridModel, words: Words): ColourLegend {
  const ramp = element("div", { class: "jp-AttentionLegend-ramp" });
  const ticks = element("div", { class: "jp-AttentionLegend-ticks" });
  const node = element("div", { class: "jp-AttentionLegend", role: "img" }, ramp, ticks);
  let shown = "";
  const largest = String(Number(largestWeight(model.payload).toPrecision(3)));
  return {
    node,
    show(palette, scale): void {
      if (shown === `${palette} ${scale}`) return;
      shown = `${palette} ${scale}`;
      const stops = 16;
      const colours = paletteColours(palette, stops);
      const stop = (at: number): string => `rgb(${Array.from(colours.subarray(at * 3, at * 3 + 3)).join(" ")})`;
      ramp.style.backgroundImage = `linear-gradient(to right, ${Array.from({ length: stops }, (_, at) => stop(at)).join(", ")})`;
      ticks.replaceChildren(
        ...scaleTicks(model.top, scale).map((tick) => {
          const label = element("span", { class: "jp-AttentionLegend-tick" }, String(tick));
          label.style.left = `${100 * scalePosition(tick, model.top, scale)}%`;
          return label;
        }),
      );
      const scaleWords = scale === "sqrt" ? words.__("square-root scale") : words.__("linear scale");
      const text = words.__("Attention weight from 0 to %1, %2; the largest is %3", model.top, scaleWords, largest);
      node.title = text;
      node.setAttribute("aria-label", text);
    },
  };
}
