import type { Axis } from "./axis.js";
import { tickText } from "./axis.js";
import type { Ink } from "./inks.js";
import { element, number, textLine } from "./svg.js";

/** A rectangle that numbers are plotted in. */
export interface PlotArea {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Gridlines at the ticks, their numbers, and what the axes mean. */
export function plotFrame(
  area: PlotArea,
  x: Axis,
  y: Axis,
  labels: { readonly x: string; readonly y: string },
  ink: Ink,
): readonly string[] {
  const { left, top, width, height } = area;
  const bottom = top + height;
  const rule = (d: string): string => element("path", { d, fill: "none", stroke: ink.line, "stroke-width": 0.5 });
  return [
    ...y.ticks.flatMap((tick) => {
      const at = bottom - y.place(tick) * height;
      return [
        rule(`M${number(left)} ${number(at)}h${number(width)}`),
        textLine(left - 6, at + 3, tickText(tick), { size: 8.5, fill: ink.quiet, anchor: "end" }),
      ];
    }),
    ...x.ticks.flatMap((tick) => {
      const at = left + x.place(tick) * width;
      return [
        rule(`M${number(at)} ${number(bottom)}v3`),
        textLine(at, bottom + 14, tickText(tick), { size: 8.5, fill: ink.quiet, anchor: "middle" }),
      ];
    }),
    rule(`M${number(left)} ${number(bottom)}h${number(width)}`),
    ...(labels.x ? [textLine(left + width / 2, bottom + 30, labels.x, { size: 9.5, anchor: "middle" })] : []),
    ...(labels.y ? [textLine(13, top + height / 2, labels.y, { size: 9.5, anchor: "middle", rotate: -90 })] : []),
  ];
}
