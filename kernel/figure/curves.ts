import type { AxisScale, CurvesPayload, StoredCurve } from "../views/index.js";
import { axisOver, type Axis } from "./axis.js";
import { provenanceNotes, smallPrint, svgDocument } from "./frame.js";
import { strokes, type Ink } from "./inks.js";
import { plotFrame, type PlotArea } from "./plotFrame.js";
import { element, fitText, number, textLine, textWidth } from "./svg.js";

const margin = 12;
const axisWidth = 52;
const tallest = 300;

/** What of the curves is drawn. */
export interface CurvesLook {
  readonly width: number;
  readonly ink: Ink;
  /** The range of x; default: all. */
  readonly range?: readonly [low: number, high: number];
  /** Default: the payload's own. */
  readonly yScale?: AxisScale;
  /** Curves that are left out, by their place. */
  readonly hidden?: ReadonlySet<number>;
  /** False: only the plot, without title, legend and notes. */
  readonly words?: boolean;
}

/** Where everything of a picture of curves lies; read-outs use it as well. */
export interface CurvesLayout {
  readonly area: PlotArea;
  readonly x: Axis;
  readonly y: Axis;
  readonly height: number;
  readonly legend: readonly { readonly curve: number; readonly x: number; readonly y: number }[];
}

/** Lays curves out; y spans what is drawn in the range of x. */
export function curvesLayout(payload: CurvesPayload, look: CurvesLook): CurvesLayout {
  const { width, range, yScale = payload.y.scale, hidden, words = true } = look;
  const drawn = payload.curves.filter((_, i) => !hidden?.has(i));
  const [from, to] = range ?? [
    Math.min(...drawn.map(({ x }) => x[0])),
    Math.max(...drawn.map(({ x }) => x[x.length - 1])),
  ];
  const x = axisOver(from, to, { scale: payload.x.scale, ticks: Math.max(2, Math.floor(width / 90)) });
  let [low, high] = [Infinity, -Infinity];
  for (const curve of drawn) {
    for (let at = 0; at < curve.x.length; at++) {
      if (curve.x[at] < x.low || curve.x[at] > x.high) continue;
      for (const value of [curve.y[at], curve.low?.[at], curve.high?.[at]]) {
        if (typeof value !== "number" || (yScale === "log" && value <= 0)) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  const y = axisOver(low <= high ? low : 0, low <= high ? high : 1, { scale: yScale, ticks: 5, wide: true });
  const legend = words ? legendPlaces(payload, hidden, width) : [];
  const top = words ? 34 + (legend.at(-1)?.y ?? 0) + 12 : 8;
  const area = {
    left: margin + axisWidth,
    top,
    width: width - axisWidth - 2 * margin - 6,
    height: Math.round(Math.min(tallest, Math.max(130, width * 0.42))),
  };
  return { area, x, y, height: top + area.height + 38, legend };
}

function legendPlaces(
  { curves }: CurvesPayload,
  hidden: ReadonlySet<number> | undefined,
  width: number,
): CurvesLayout["legend"] {
  const places: { curve: number; x: number; y: number }[] = [];
  let [x, y] = [margin, 0];
  curves.forEach(({ name }, curve) => {
    if (hidden?.has(curve)) return;
    const size = 34 + textWidth(legendName(name, width), 9);
    if (x > margin && x + size > width - margin) [x, y] = [margin, y + 14];
    places.push({ curve, x, y });
    x += size + 14;
  });
  return places;
}

const legendName = (name: string, width: number): string => fitText(name, 9, width - 2 * margin - 40);

/** Curves over axes as SVG: the band of an interval under each, the names above. */
export function drawCurves(payload: CurvesPayload, look: CurvesLook): string {
  const { width, ink, words = true } = look;
  const layout = curvesLayout(payload, look);
  const { area, x, y, legend } = layout;
  const drawn = payload.curves.flatMap((curve, i) => (look.hidden?.has(i) ? [] : [{ curve, i }]));
  const notes = words ? [...payload.notes, ...thinNotes(payload), ...provenanceNotes(payload)] : [];
  const print = smallPrint(margin, layout.height + 2, width - 2 * margin, notes, ink);
  const lines = [
    ...drawn.flatMap(({ curve, i }) => band(curve, i, layout)),
    ...drawn.map(({ curve, i }) =>
      element("path", { d: linePath(curve, layout, payload.shape === "step"), ...lineLook(i) }),
    ),
  ].join("\n");
  const body = [
    ...(words
      ? [textLine(margin, 22, fitText(payload.title, 13, width - 2 * margin), { size: 13, weight: "bold" })]
      : []),
    ...plotFrame(area, x, y, { x: payload.x.label, y: payload.y.label }, ink),
    ...(look.range ? [element("svg", clipTo(area), lines)] : [lines]),
    ...legend.flatMap((place) => [
      element("path", { d: `M${number(place.x)} ${number(34 + place.y)}h22`, ...lineLook(place.curve) }),
      textLine(place.x + 28, 37 + place.y, legendName(payload.curves[place.curve].name, width), { size: 9 }),
    ]),
    ...print.body,
  ];
  const axes = [payload.y.label, payload.x.label].filter(Boolean).join(" over ");
  const names = drawn.map(({ curve }) => curve.name).join(", ");
  return svgDocument(
    width,
    Math.ceil(layout.height + (notes.length > 0 ? print.height + margin : 0)),
    { title: payload.title, description: [axes, names, ...notes].filter(Boolean).join(". ") },
    body,
    ink,
  );
}

/** Colour and dash of a curve by its place. */
export function lineLook(curve: number): Readonly<Record<string, string | number | undefined>> {
  const { stroke, dash } = strokes[curve % strokes.length];
  return { fill: "none", stroke, "stroke-width": 1.5, "stroke-linejoin": "round", "stroke-dasharray": dash };
}

/** A viewport that shows an area and cuts what lies outside; needs no definitions, unlike a clip path. */
function clipTo({ left, top, width, height }: PlotArea): Readonly<Record<string, string | number>> {
  return { x: left, y: top, width, height, viewBox: [left, top, width, height].map(number).join(" ") };
}

function thinNotes({ curves }: CurvesPayload): readonly string[] {
  const thin = curves.filter(({ points }) => points !== undefined);
  if (thin.length === 0) return [];
  const [stored, all] = thin.reduce(([s, a], { x, points = 0 }) => [s + x.length, a + points], [0, 0]);
  return [`${stored} of ${all} points, extremes kept`];
}

/** Where points of a curve lie; undefined for gaps and for what the scale has no place for. */
function pointsOf(
  { x: xs }: StoredCurve,
  values: readonly (number | null)[],
  { area, x, y }: CurvesLayout,
): readonly (readonly [number, number] | undefined)[] {
  // One point on either side of the range is kept: lines run on to its edges, where they are cut.
  const first = Math.max(0, xs.findIndex((at) => at >= x.low) - 1);
  const beyond = xs.findIndex((at) => at > x.high);
  return values.slice(first, beyond < 0 ? undefined : beyond + 1).map((value, i) => {
    const across = x.place(xs[first + i]);
    const up = value === null ? NaN : y.place(value);
    if (Number.isNaN(up) || Number.isNaN(across)) return undefined;
    return [area.left + across * area.width, area.top + (1 - up) * area.height] as const;
  });
}

function linePath(curve: StoredCurve, layout: CurvesLayout, steps: boolean): string {
  const points = pointsOf(curve, curve.y, layout);
  return points
    .map((point, i) => {
      if (!point) return "";
      const [x, y] = point.map(number);
      if (points[i - 1]) return steps ? `H${x}V${y}` : `L${x} ${y}`;
      // A point between two gaps is drawn as a dot.
      return points[i + 1] ? `M${x} ${y}` : `M${number(point[0] - 1)} ${y}h2`;
    })
    .join("");
}

/** The interval around a curve, one polygon for each run without gaps. */
function band(curve: StoredCurve, place: number, layout: CurvesLayout): readonly string[] {
  if (!curve.low || !curve.high) return [];
  const low = pointsOf(curve, curve.low, layout);
  const high = pointsOf(curve, curve.high, layout);
  const runs: { up: string[]; down: string[] }[] = [];
  let run: (typeof runs)[number] | undefined;
  high.forEach((above, i) => {
    const below = low[i];
    if (!above || !below) return (run = undefined);
    if (!run) runs.push((run = { up: [], down: [] }));
    run.up.push(above.map(number).join(" "));
    run.down.unshift(below.map(number).join(" "));
    return run;
  });
  const d = runs.map(({ up, down }) => `M${[...up, ...down].join("L")}z`).join("");
  return d ? [element("path", { d, fill: strokes[place % strokes.length].stroke, "fill-opacity": 0.16 })] : [];
}
