import { svgDocument } from "./frame.js";
import { inks } from "./inks.js";
import { element, number, textLine, wrapText } from "./svg.js";

/** Falling curves over 0 … 1, with a name each. */
export interface SinkFigure {
  readonly title: string;
  readonly notes: readonly string[];
  readonly curves: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

/** Colours that people with any colour vision tell apart (Okabe and Ito 2008), and dashes that print apart. */
const strokes = [
  ["#0072b2", undefined],
  ["#d55e00", "6 3"],
  ["#009e73", "2 2"],
  ["#cc79a7", "8 3 2 3"],
] as const;

const [width, left, top, plotWidth, plotHeight] = [520, 52, 44, 360, 200];

/** Sink rates against their threshold, as steps: print quality, white paper. */
export function sinkFigure({ title, notes, curves }: SinkFigure): string {
  const [x, y] = [(share: number) => left + share * plotWidth, (share: number) => top + (1 - share) * plotHeight];
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const lines = notes.flatMap((note) => wrapText(note, 8.5, width - 24, 2));
  const bottom = top + plotHeight;
  const body = [
    textLine(12, 22, title, { size: 13, weight: "bold" }),
    ...ticks.flatMap((tick) => [
      element("path", {
        d: `M${number(left)} ${number(y(tick))}h${plotWidth}`,
        stroke: inks.paper.line,
        "stroke-width": 0.5,
      }),
      textLine(left - 6, y(tick) + 3, String(tick), { size: 8.5, fill: inks.paper.quiet, anchor: "end" }),
      textLine(x(tick), bottom + 14, String(tick), { size: 8.5, fill: inks.paper.quiet, anchor: "middle" }),
    ]),
    textLine(x(0.5), bottom + 30, "threshold ε", { size: 9.5, anchor: "middle" }),
    textLine(14, y(0.5), "share of heads with α > ε", { size: 9.5, anchor: "middle", rotate: -90 }),
    ...curves.flatMap(({ name, points }, i) => {
      const [stroke, dash] = strokes[i % strokes.length];
      const look = { fill: "none", stroke, "stroke-width": 1.5, "stroke-dasharray": dash };
      const labelY = top + 10 + i * 16;
      return [
        element("path", { d: stepPath(points, x, y), ...look }),
        element("path", { d: `M${left + plotWidth + 12} ${labelY}h22`, ...look }),
        textLine(left + plotWidth + 40, labelY + 3, name, { size: 9 }),
      ];
    }),
    ...lines.map((line, i) => textLine(12, bottom + 52 + i * 12, line, { size: 8.5, fill: inks.paper.quiet })),
  ];
  const height = bottom + 52 + lines.length * 12;
  const description = curves.map(({ name, points }) => `${name}: ${number(points[0]?.[1] ?? 0)} at 0`).join("; ");
  return svgDocument(width, height, { title, description: `${description}. ${notes.join(" ")}` }, body);
}

/** Flat from each point to the next, then down; to the right edge at the end. */
function stepPath(
  points: readonly (readonly [number, number])[],
  x: (share: number) => number,
  y: (share: number) => number,
): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const steps = rest.map(([at, to]) => `H${number(x(at))}V${number(y(to))}`);
  return `M${number(x(first[0]))} ${number(y(first[1]))}${steps.join("")}H${number(x(1))}`;
}
