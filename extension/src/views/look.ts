import {
  paletteColours,
  paletteNames,
  scaleNames,
  scalePosition,
  scaleTicks,
  type PaletteName,
  type ScaleName,
} from "attention-lab/figure";
import { choice } from "../dom/choice.js";
import type { LegendContent } from "../dom/legend.js";
import type { Store } from "../dom/store.js";
import type { Selection } from "../link/selections.js";
import type { Words } from "../words.js";

/** A chooser of the palette. */
export function paletteChoice(words: Words, onChoice: (palette: PaletteName) => void): HTMLSelectElement {
  return choice(
    words.__("Palette"),
    paletteNames.map((name) => ({ value: name, label: name })),
    (value) => onChoice(value as PaletteName),
  );
}

/** A chooser of the colour scale. */
export function scaleChoice(words: Words, onChoice: (scale: ScaleName) => void): HTMLSelectElement {
  const labels: Readonly<Record<ScaleName, string>> = { linear: words.__("linear"), sqrt: words.__("square root") };
  return choice(
    words.__("Colour scale"),
    scaleNames.map((name) => ({ value: name, label: labels[name] })),
    (value) => onChoice(value as ScaleName),
  );
}

/** The palette after this one, the first after the last. */
export function nextPalette(palette: PaletteName): PaletteName {
  return paletteNames[(paletteNames.indexOf(palette) + 1) % paletteNames.length] ?? "viridis";
}

export function otherScale(scale: ScaleName): ScaleName {
  return scale === "linear" ? "sqrt" : "linear";
}

/** The colour bar of attention weights from 0 to `top`. */
export function weightLegend(palette: PaletteName, scale: ScaleName, top: number, words: Words): LegendContent {
  return {
    colours: paletteColours(palette, 16),
    ticks: scaleTicks(top, scale).map((value) => ({ value, place: scalePosition(value, top, scale) })),
    text: words.__("Attention weight from 0 to %1", top),
  };
}

/** A chooser of one of a payload's maps; one of a single head is chosen in the figures of its run, too. */
export function mapChoice(
  maps: { readonly name: readonly string[]; readonly layer: readonly number[]; readonly head: readonly number[] },
  selection: Store<Selection> | undefined,
  words: Words,
  onChoice: (map: number) => void,
): HTMLSelectElement {
  return choice(
    words.__("Whose attention"),
    maps.name.map((name, at) => ({ value: String(at), label: name })),
    (value) => {
      const map = Number(value);
      onChoice(map);
      const [layer, head] = [maps.layer[map], maps.head[map]];
      if (layer !== undefined && head !== undefined && layer >= 0 && head >= 0)
        selection?.set({ head: { layer, head } });
    },
  );
}
