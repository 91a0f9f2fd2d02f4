import { maskReader, pictureTable, readPatterns, type ImageOverlayPayload } from "../views/index.js";
import { decodeBase64 } from "../views/base64.js";
import { niceTop, scalePosition, scaleTicks, type ScaleName } from "./colourScale.js";
import { colourBar, pictureImage, provenanceNotes, smallPrint, svgDocument, type ColourRamp } from "./frame.js";
import type { Ink } from "./inks.js";
import { paletteColours, type PaletteName } from "./palettes.js";
import { drawnOutline, outlinePath } from "./outline.js";
import type { PlotArea } from "./plotFrame.js";
import { element, fitText, textLine } from "./svg.js";

const margin = 12;
const widest = 460;

/** Which attention lies over the picture, and how. */
export interface OverlayChoice {
  /** Default: the last map. */
  readonly map?: number;
  /** Default 0: the class token where there is one. */
  readonly query?: number;
  /** Of the colours over the picture, 0…1; default 0.6. */
  readonly opacity?: number;
  /**
   * Round what the mask holds, or round the patches whose weight is at least this share of the largest; `"none"`. Default: the mask
   * where there is one.
   */
  readonly outline?: "mask" | "none" | number;
}

/** How attention over a picture is drawn. */
export interface ImageOverlayLook extends OverlayChoice {
  readonly width: number;
  readonly ink: Ink;
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  /** False: only the picture. */
  readonly words?: boolean;
}

/** Where the picture lies; read-outs use it as well. */
export function imageOverlayLayout({ picture }: ImageOverlayPayload, width: number, words: boolean = true): PlotArea {
  const across = Math.min(widest, width - 2 * margin);
  return { left: margin, top: words ? 48 : 4, width: across, height: (across * picture.height) / picture.width };
}

/** Attention of one query to every patch, in one map. */
export function overlayWeights({ weights, maps }: ImageOverlayPayload, map: number, query: number): Float32Array {
  const all = readPatterns(weights, 1, maps.max).head(map, 0);
  return all.subarray(query * weights.columns, (query + 1) * weights.columns);
}

/** The choice with its defaults. Throws RangeError on a map or query that is not there. */
export function overlayChoice(payload: ImageOverlayPayload, choice: OverlayChoice): Required<OverlayChoice> {
  const { map = payload.maps.name.length - 1, query = 0, opacity = 0.6 } = choice;
  const { outline = payload.mask ? "mask" : "none" } = choice;
  const within = (name: string, index: number, count: number): void => {
    if (Number.isInteger(index) && index >= 0 && index < count) return;
    throw new RangeError(`figure: ${name} out of range; expected 0…${count - 1}, got ${index}`);
  };
  within("map", map, payload.maps.name.length);
  within("query", query, payload.queries.length);
  if (!(opacity >= 0 && opacity <= 1)) throw new RangeError(`figure: opacity must be in 0…1, got ${opacity}`);
  if (typeof outline === "number" && !(outline > 0 && outline <= 1)) {
    throw new RangeError(`figure: outline must be a share in 0…1, "mask" or "none", got ${outline}`);
  }
  if (outline === "mask" && !payload.mask) throw new RangeError("figure: there is no mask to draw round");
  return { map, query, opacity, outline };
}

/** A picture with attention over it as SVG: the query's own patch is framed, the colour bar states its scale. */
export function drawImageOverlay(payload: ImageOverlayPayload, look: ImageOverlayLook): string {
  const { width, ink, palette, scale, words = true } = look;
  const { map, query, opacity, outline } = overlayChoice(payload, look);
  const { picture, grid, queries, maps, title, notes } = payload;
  const area = imageOverlayLayout(payload, width, words);
  const weights = overlayWeights(payload, map, query);
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const top = niceTop(largest);
  const inner = width - 2 * margin;
  const barY = area.top + area.height + 12;
  const small = smallPrint(
    margin,
    barY + 30,
    inner,
    [...outlineNote(outline), ...notes, ...provenanceNotes(payload)],
    ink,
  );
  const place = { x: area.left, y: area.top, width: area.width, height: area.height };
  const what = `${maps.name[map]}: attention of ${queries[query]}`;
  const own = query - (queries.length - grid.rows * grid.columns);
  const [cellWidth, cellHeight] = [area.width / grid.columns, area.height / grid.rows];
  const body = [
    ...(words
      ? [
          textLine(margin, 22, fitText(title, 13, inner), { size: 13, weight: "bold" }),
          textLine(margin, 38, fitText(what, 9, inner), { size: 9, fill: ink.quiet }),
        ]
      : []),
    pictureImage(place, {
      ...{ width: picture.width, height: picture.height, indices: decodeBase64(picture.data) },
      colours: pictureTable(),
    }),
    pictureImage(
      { ...place, opacity },
      {
        ...{ width: grid.columns, height: grid.rows, colours: weightRamp(top, largest, palette, scale).colours },
        indices: Uint8Array.from(weights, (weight) => Math.round(255 * scalePosition(weight, top, scale))),
      },
    ),
    ...drawnOutline(outlineOf(payload, outline, weights, area)),
    ...(own >= 0
      ? [
          element("rect", {
            x: area.left + (own % grid.columns) * cellWidth,
            y: area.top + Math.floor(own / grid.columns) * cellHeight,
            ...{ width: cellWidth, height: cellHeight, fill: "none", stroke: "#ff9f1c", "stroke-width": 2 },
          }),
        ]
      : []),
    ...(words ? colourBar(margin, barY, inner, weightRamp(top, largest, palette, scale), ink) : []),
    ...(words ? small.body : []),
  ];
  return svgDocument(
    width,
    Math.ceil(words ? barY + 30 + small.height + (small.height > 0 ? margin : 0) : area.top + area.height + 4),
    { title, description: [what, ...notes].join(". ") },
    body,
    ink,
  );
}

function outlineOf(
  payload: ImageOverlayPayload,
  outline: Required<OverlayChoice>["outline"],
  weights: Float32Array,
  area: PlotArea,
): string {
  const { grid, mask } = payload;
  const isMasked = maskReader(payload);
  if (outline === "none") return "";
  if (outline === "mask") return mask && isMasked ? outlinePath(isMasked, mask.width, mask.height, area) : "";
  const least = outline * weights.reduce((most, weight) => Math.max(most, weight), 0);
  const isHigh = (column: number, row: number): boolean => least > 0 && weights[row * grid.columns + column] >= least;
  return outlinePath(isHigh, grid.columns, grid.rows, area);
}

function outlineNote(outline: Required<OverlayChoice>["outline"]): readonly string[] {
  if (outline === "none") return [];
  return [outline === "mask" ? "outlined: the mask" : `outlined: at least ${outline} of the largest weight`];
}

/** The colour bar of these weights. */
export function weightRamp(top: number, largest: number, palette: PaletteName, scale: ScaleName): ColourRamp {
  const colours = paletteColours(palette, 256);
  return {
    indices: Uint8Array.from({ length: 256 }, (_, at) => at),
    colours: Uint8Array.from({ length: 1024 }, (_, at) =>
      at % 4 < 3 ? colours[3 * Math.floor(at / 4) + (at % 4)] : 255,
    ),
    ticks: scaleTicks(top, scale).map((value) => ({ value, place: scalePosition(value, top, scale) })),
    meaning: `attention weight, ${scale === "sqrt" ? "square-root" : "linear"} scale; largest ${Number(largest.toPrecision(3))}`,
  };
}
