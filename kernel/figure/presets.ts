import { number } from "./svg.js";

/** Papers a figure is made for. */
export type PresetName = "neurips" | "column" | "page";

/** Width on the page and size of the text. */
export interface Preset {
  readonly widthInches: number;
  readonly textPoints: number;
}

/** `neurips`: the text width of NeurIPS and ICLR; `column`: one of two columns (ACL, IEEE); `page`: both columns. */
export const presets: Readonly<Record<PresetName, Preset>> = {
  neurips: { widthInches: 5.5, textPoints: 8 },
  column: { widthInches: 3.25, textPoints: 8 },
  page: { widthInches: 6.75, textPoints: 8 },
};

/** Pixels of most texts in a drawing, and pixels per inch. */
const [textPx, pxPerInch] = [9, 96];

/** How much larger a drawing is printed than it is drawn, so that its text has the preset's size. */
export function presetScale({ textPoints }: Preset): number {
  return ((textPoints / 72) * pxPerInch) / textPx;
}

/** The width at which a figure for a preset is drawn, px. */
export function presetWidth(preset: Preset): number {
  return Math.floor((preset.widthInches * pxPerInch) / presetScale(preset));
}

/** A drawing shown larger or smaller: its own units stay. */
export function scaledDocument(svg: string, scale: number): string {
  return svg.replace(
    /^(<svg [^>]*?\bwidth=")([\d.]+)(" height=")([\d.]+)/,
    (_, a: string, width: string, b: string, height: string) =>
      a + number(Number(width) * scale) + b + number(Number(height) * scale),
  );
}
