import {
  ablationTableMime,
  attributionGraphMime,
  audioTimelineMime,
  curvesMime,
  generationMime,
  headGridMime,
  headGridsMime,
  headPairMime,
  imageOverlayMime,
  matrixMime,
  modelDiagramMime,
  panelsMime,
  scatterMime,
  tokenStripMime,
  type PayloadMime,
  type PayloadTypes,
} from "../views/index.js";
import { drawAblationTable } from "./ablationTable.js";
import { drawAttributionGraph } from "./attributionGraph.js";
import { drawAudioTimeline, type AudioChoice } from "./audioTimeline.js";
import { niceTop, type ScaleName } from "./colourScale.js";
import { drawCurves } from "./curves.js";
import { largestWeight } from "./frame.js";
import { drawGeneration } from "./generation.js";
import { drawHeadGrid } from "./headGrid.js";
import { drawHeadPair } from "./headPair.js";
import { inks, type InkName } from "./inks.js";
import { drawImageOverlay, type OverlayChoice } from "./imageOverlay.js";
import { drawMatrix, type MatrixDrawing } from "./matrix.js";
import { drawModelDiagram } from "./modelDiagram.js";
import { drawOneHead } from "./oneHead.js";
import type { PaletteName } from "./palettes.js";
import type { PresetName } from "./presets.js";
import { drawScatter, type ScatterChoice } from "./scatter.js";
import { stackedDocuments } from "./stackedDocuments.js";
import { drawTokenStrip, type ShadedBy } from "./tokenStrip.js";

/** What a picture shows and how. */
export interface FigureOptions {
  /** Which sample, zero-based; default 0. */
  readonly sample?: number;
  /** One head at full size instead of all of them. */
  readonly head?: { readonly layer: number; readonly head: number };
  /** Of an attribution graph: the least size of the weights that are drawn; default that of the hundredth largest. */
  readonly least?: number;
  /** Of attention over a picture: which map, the attention of which query, how opaque. */
  readonly overlay?: OverlayChoice;
  /** Of attention over a sound: which map, the line of which token. */
  readonly audio?: AudioChoice;
  /** Of a scatter: the scales of its axes, and which points are marked. */
  readonly points?: ScatterChoice;
  /** One picture of a report, by its name, instead of all of them. */
  readonly panel?: string;
  /** The token whose attention shades a strip, instead of what each token receives. */
  readonly token?: ShadedBy;
  /** Default "viridis". */
  readonly palette?: PaletteName;
  /** Default "sqrt" for attention weights: weak ones stay visible; "linear" for other numbers. */
  readonly scale?: ScaleName;
  /** Largest width, px; default 860. */
  readonly widthPx?: number;
  /** The paper it is made for: width and size of text, on no background; instead of `widthPx`. */
  readonly preset?: PresetName;
  /** What it stands on: default "paper", white; "clear" for a preset. */
  readonly ink?: InkName;
}

/** The drawing of every payload: one line per view; a payload without a drawing does not compile. */
export const drawers: {
  readonly [Mime in PayloadMime]: (payload: PayloadTypes[Mime], options: FigureOptions) => string;
} = {
  [headGridMime]: (
    payload,
    { sample = 0, head, palette = "viridis", scale = "sqrt", widthPx = 860, ink = "paper" },
  ) => {
    checkIndex("sample", sample, payload.samples.length);
    const look = { palette, scale, top: niceTop(largestWeight(payload)), ink: inks[ink] };
    if (!head) return drawHeadGrid(payload, sample, look, widthPx);
    checkIndex("layer", head.layer, payload.layers);
    checkIndex("head", head.head, payload.heads);
    return drawOneHead(payload, sample, head.layer, head.head, look, widthPx);
  },
  [headGridsMime]: ({ title, stacks }, { head, ...options }) => {
    if (head) throw new RangeError("figure: a head belongs to one of the stacks; expected the picture of its grid");
    const pictures = stacks.map(({ grid }) => drawers[headGridMime](grid, options));
    return stackedDocuments(`Attention patterns of ${title}`, pictures, inks[options.ink ?? "paper"]);
  },
  [curvesMime]: (payload, { widthPx = 620, ink = "paper" }) => drawCurves(payload, { width: widthPx, ink: inks[ink] }),
  [matrixMime]: (payload, options) => drawMatrix(payload, matrixDrawing(options)),
  [ablationTableMime]: (payload, options) => drawAblationTable(payload, matrixDrawing(options)),
  [imageOverlayMime]: (payload, { widthPx = 484, ink = "paper", palette = "viridis", scale = "sqrt", overlay = {} }) =>
    drawImageOverlay(payload, { width: widthPx, ink: inks[ink], palette, scale, ...overlay }),
  [audioTimelineMime]: (payload, { widthPx = 720, ink = "paper", palette = "viridis", scale = "sqrt", audio = {} }) =>
    drawAudioTimeline(payload, { width: widthPx, ink: inks[ink], palette, scale, ...audio }),
  [scatterMime]: (payload, { widthPx = 620, ink = "paper", palette = "viridis", points = {} }) =>
    drawScatter(payload, { width: widthPx, ink: inks[ink], palette, ...points }),
  [attributionGraphMime]: (payload, { widthPx = 620, ink = "paper", least }) =>
    drawAttributionGraph(payload, { width: widthPx, ink: inks[ink], ...(least === undefined ? {} : { least }) }),
  [modelDiagramMime]: (payload, { widthPx = 560, ink = "paper" }) =>
    drawModelDiagram(payload, { width: widthPx, ink: inks[ink] }),
  [headPairMime]: (payload, { palette = "viridis", scale = "sqrt", widthPx = 860, ink = "paper" }) =>
    drawHeadPair(payload, { palette, scale, width: widthPx, ink: inks[ink] }),
  [generationMime]: (payload, { sample = 0, head, scale = "sqrt", widthPx = 720, ink = "paper", ...rest }) => {
    checkIndex("sample", sample, payload.texts.length);
    if (!head) return drawGeneration(payload, sample, { scale, width: widthPx, ink: inks[ink] });
    if (!payload.grid) throw new RangeError("figure: this text has no attention; ask for it with patterns: true");
    return drawers[headGridMime](payload.grid, { ...rest, sample, head, scale, widthPx, ink });
  },
  [tokenStripMime]: (payload, { scale = payload.attention ? "sqrt" : "linear", widthPx = 720, ink = "paper", token }) =>
    drawTokenStrip(payload, { scale, width: widthPx, ink: inks[ink], token }),
  [panelsMime]: (payload, { panel, ...options }) => {
    const names = payload.panels.map(({ name }) => name);
    if (panel !== undefined && !names.includes(panel)) {
      throw new RangeError(`figure: no panel "${panel}"; known: ${names.join(", ")}`);
    }
    const shown = payload.panels.filter(({ name }) => panel === undefined || name === panel);
    const pictures = shown.map(({ mime, payload: own }, at) => {
      // Panels of one report come from one place: the last says it for all.
      const said = at < shown.length - 1 ? { provenance: {} } : {};
      return mime === curvesMime
        ? drawers[curvesMime]({ ...own, ...said }, options)
        : drawers[matrixMime]({ ...own, ...said }, options);
    });
    return pictures.length === 1
      ? pictures[0]
      : stackedDocuments(payload.title, pictures, inks[options.ink ?? "paper"]);
  },
};

function matrixDrawing({
  palette = "viridis",
  scale = "linear",
  widthPx = 620,
  ink = "paper",
}: FigureOptions): MatrixDrawing {
  return { palette, scale, width: widthPx, ink: inks[ink] };
}

function checkIndex(name: string, index: number, count: number): void {
  if (!(Number.isInteger(index) && index >= 0 && index < count)) {
    throw new RangeError(`figure: ${name} out of range; expected 0…${count - 1}, got ${index}`);
  }
}
