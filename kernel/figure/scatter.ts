import type { AxisScale, ScatterPayload } from "../views/index.js";
import { axisOver, type Axis } from "./axis.js";
import { colourBar, provenanceNotes, smallPrint, svgDocument, type ColourRamp } from "./frame.js";
import { strokes, type Ink } from "./inks.js";
import { paletteColours, type PaletteName } from "./palettes.js";
import { plotFrame, type PlotArea } from "./plotFrame.js";
import { pointLabels } from "./scatterLabels.js";
import { element, fitText, textLine } from "./svg.js";

const margin = 12;
const axisWidth = 52;
const radius = 3.6;
/** What the page sets all text in. */
const screenSize = 10.5;

/** What a reader has chosen in a scatter. */
export interface ScatterChoice {
  /** Default: the payload's own. */
  readonly xScale?: AxisScale;
  readonly yScale?: AxisScale;
  /** Places of the points that are marked: ringed and named, the others pale. */
  readonly marked?: readonly number[];
}

/** How points are drawn. */
export interface ScatterLook extends ScatterChoice {
  readonly width: number;
  readonly ink: Ink;
  /** The colours of layers. */
  readonly palette: PaletteName;
  /** False: only the plot, without title and notes. */
  readonly words?: boolean;
}

/** Where everything of a scatter lies; read-outs use it as well. */
export interface ScatterLayout {
  readonly area: PlotArea;
  readonly x: Axis;
  readonly y: Axis;
  readonly height: number;
  /** By point: where it lies, undefined where it has no number or the scale has no place for it. */
  readonly places: readonly (readonly [x: number, y: number] | undefined)[];
}

/** Lays points out; a little room is left around the outermost ones. */
export function scatterLayout({ points, ...payload }: ScatterPayload, look: ScatterLook): ScatterLayout {
  const { width, xScale = payload.x.scale, yScale = payload.y.scale, words = true } = look;
  const isDrawn = (at: number): boolean => fits(points.x[at], xScale) && fits(points.y[at], yScale);
  const drawn = points.labels.flatMap((_, at) => (isDrawn(at) ? [at] : []));
  const top = words ? 36 : 10;
  const area = {
    left: margin + axisWidth,
    top,
    width: width - axisWidth - 2 * margin - 6,
    height: Math.round(Math.min(420, Math.max(170, width * 0.56))),
  };
  const axis = (values: readonly (number | null)[], scale: AxisScale, ticks: number): Axis => {
    const numbers = drawn.map((at) => values[at] ?? 0);
    const low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
    const high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
    return axisOver(low <= high ? low : 0.1, low <= high ? high : 1, { scale, ticks, wide: true });
  };
  const x = inset(axis(points.x, xScale, Math.max(2, Math.floor(width / 90))), radius / area.width);
  const y = inset(axis(points.y, yScale, 5), radius / area.height);
  const placeOf = (at: number): readonly [number, number] => [
    area.left + x.place(points.x[at] ?? 0) * area.width,
    area.top + (1 - y.place(points.y[at] ?? 0)) * area.height,
  ];
  return {
    ...{ area, x, y },
    height: top + area.height + 38,
    places: points.labels.map((_, at) => (isDrawn(at) ? placeOf(at) : undefined)),
  };
}

const fits = (value: number | null, scale: AxisScale): boolean => value !== null && (scale === "linear" || value > 0);

/** An axis that leaves a share of its length free at either end, for points on its edges. */
function inset(axis: Axis, share: number): Axis {
  const inner = 1 - 2 * share;
  return {
    ...axis,
    place: (value) => share + axis.place(value) * inner,
    at: (place) => axis.at((place - share) / inner),
  };
}

/** The colours of layers, `#rrggbb`; the palest end of the palette is left out, so that points stay visible on white. */
export function layerColours(palette: PaletteName, layers: number): readonly string[] {
  const colours = paletteColours(palette, 256);
  const hex = (part: number): string => part.toString(16).padStart(2, "0");
  return Array.from({ length: layers }, (_, layer) => {
    const share = layers > 1 ? layer / (layers - 1) : 0;
    const step = Math.round(255 * (palette === "greys" ? 0.3 + 0.7 * share : 0.9 * share));
    return `#${Array.from(colours.subarray(3 * step, 3 * step + 3), hex).join("")}`;
  });
}

/** Points over two axes as SVG: heads in the colours of their layers, the outermost ones named. */
export function drawScatter(payload: ScatterPayload, look: ScatterLook): string {
  const { width, ink, palette, words = true } = look;
  const layout = scatterLayout(payload, look);
  const { heads, points } = payload;
  const marked = new Set(look.marked);
  const lost = [...marked].find((at) => !(Number.isInteger(at) && at >= 0 && at < points.labels.length));
  if (lost !== undefined) {
    throw new RangeError(`figure: marked point out of range; expected 0…${points.labels.length - 1}, got ${lost}`);
  }
  const layers = heads ? heads.layer.reduce((most, layer) => Math.max(most, layer), 0) + 1 : 0;
  const colours = layerColours(palette, layers);
  const unplaced = layout.places.filter((place) => !place).length;
  const notes = [
    ...(unplaced > 0 ? [`${unplaced} of ${points.labels.length} points have no place here`] : []),
    ...(marked.size > 0 ? [markedNote(points.labels, look.marked ?? [])] : []),
    ...payload.notes,
    ...provenanceNotes(payload),
  ];
  const barY = layout.height + 4;
  const printY = heads ? barY + 28 : barY;
  const print = smallPrint(margin, printY, width - 2 * margin, words ? notes : [], ink);
  const dots = layout.places.flatMap((place, at) =>
    place
      ? [
          element("circle", {
            cx: place[0],
            cy: place[1],
            r: radius,
            fill: heads ? colours[heads.layer[at]] : strokes[0].stroke,
            stroke: marked.has(at) ? ink.text : ink.quiet,
            "stroke-width": marked.has(at) ? 1.8 : 0.6,
            opacity: marked.size > 0 && !marked.has(at) ? 0.35 : undefined,
          }),
        ]
      : [],
  );
  const body = [
    ...(words
      ? [textLine(margin, 22, fitText(payload.title, 13, width - 2 * margin), { size: 13, weight: "bold" })]
      : []),
    ...plotFrame(layout.area, layout.x, layout.y, { x: payload.x.label, y: payload.y.label }, ink),
    ...dots,
    ...pointLabels(payload, layout, { radius, labelSize: words ? 8 : screenSize }, marked),
    ...(heads ? colourBar(margin, barY, width - 2 * margin, layerRamp(colours), ink) : []),
    ...print.body,
  ];
  const axes = `${payload.y.label || "y"} over ${payload.x.label || "x"}, ${points.labels.length} points`;
  return svgDocument(
    width,
    Math.ceil(printY + print.height + (print.height > 0 ? margin : 4)),
    { title: payload.title, description: [axes, ...notes].join(". ") },
    body,
    ink,
  );
}

/** "3 points are marked: 1.2, 4.5, 4.6" */
function markedNote(labels: readonly string[], marked: readonly number[]): string {
  const names = marked.slice(0, 24).map((at) => labels[at]);
  const count = marked.length === 1 ? "1 point is marked" : `${marked.length} points are marked`;
  return `${count}: ${names.join(", ")}${marked.length > names.length ? ", …" : ""}`;
}

/** The colours of layers side by side; of more than a picture holds, evenly chosen ones. */
function layerRamp(colours: readonly string[]): ColourRamp {
  const layers = colours.length;
  const steps = Math.min(layers, 256);
  const indices = Uint8Array.from({ length: steps }, (_, step) => step);
  const rgba = Array.from(indices, (step) => {
    const hex = colours[steps > 1 ? Math.round((step / (steps - 1)) * (layers - 1)) : 0];
    return [...[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)), 255];
  });
  return {
    indices,
    colours: Uint8Array.from(rgba.flat()),
    ticks: [...new Set([0, layers >> 1, layers - 1])].map((layer) => ({ value: layer, place: (layer + 0.5) / layers })),
    meaning: "layer",
  };
}
