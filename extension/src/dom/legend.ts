import type { ColourRamp } from "attention-lab/figure";
import { element } from "./element.js";

/** Colours that a ramp is drawn from. */
const stopCount = 23;

/** What a colour bar shows. */
export interface LegendContent {
  /** [steps,3] red, green, blue in 0…255. */
  readonly colours: Uint8Array;
  readonly ticks: readonly { readonly value: number; readonly place: number }[];
  /** What the colours mean, in words. */
  readonly text: string;
}

/** A colour bar: a ramp with ticks. */
export interface Legend {
  readonly node: HTMLElement;
  /** Shows content; nothing is made anew while the key stays. */
  readonly show: (key: string, content: () => LegendContent) => void;
}

/** An empty colour bar. */
export function createLegend(): Legend {
  const ramp = element("div", { class: "jp-AttentionLegend-ramp" });
  const marks = element("div", { class: "jp-AttentionLegend-ticks" });
  const node = element("div", { class: "jp-AttentionLegend", role: "img" }, ramp, marks);
  let shown: string | undefined;
  return {
    node,
    show(key, content): void {
      if (shown === key) return;
      shown = key;
      const { colours, ticks, text } = content();
      const stops = Array.from(
        { length: colours.length / 3 },
        (_, at) => `rgb(${Array.from(colours.subarray(at * 3, at * 3 + 3)).join(" ")})`,
      );
      ramp.style.backgroundImage = `linear-gradient(to right, ${stops.join(", ")})`;
      marks.replaceChildren(
        ...ticks.map(({ value, place }) => {
          const label = element("span", { class: "jp-AttentionLegend-tick" }, String(value));
          label.style.left = `${100 * place}%`;
          return label;
        }),
      );
      node.title = text;
      node.setAttribute("aria-label", text);
    },
  };
}

/** The ramp of an exported figure as a colour bar. */
export function rampContent({ colours, indices, ticks, meaning }: ColourRamp): LegendContent {
  const stops = Array.from({ length: stopCount }, (_, at) => Math.round((at / (stopCount - 1)) * (indices.length - 1)));
  return {
    colours: Uint8Array.from(stops.flatMap((at) => [...colours.subarray(4 * at, 4 * at + 3)])),
    ticks,
    text: meaning,
  };
}
