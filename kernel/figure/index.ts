export { effectMatrix, rowsBySize } from "./ablationTable.js";
import { payloads, type PayloadMime } from "../views/index.js";
import { drawers, type FigureOptions } from "./drawers.js";
import { presets, presetScale, presetWidth, scaledDocument } from "./presets.js";

export { curvesLayout, drawCurves, lineLook, type CurvesLayout, type CurvesLook } from "./curves.js";
export type { FigureOptions } from "./drawers.js";
export { niceTop, scaleNames, scalePosition, scaleTicks, type ScaleName } from "./colourScale.js";
export { axisOver, tickText, type Axis } from "./axis.js";
export { pngWithText } from "./png.js";
export { presets, type Preset, type PresetName } from "./presets.js";
export { largestWeight, svgWords, type ColourRamp } from "./frame.js";
export { inks, strokes, type Ink, type InkName } from "./inks.js";
export { differenceColours, maskColour, paletteColours, paletteNames, type PaletteName } from "./palettes.js";
export {
  drawImageOverlay,
  imageOverlayLayout,
  overlayWeights,
  weightRamp,
  type ImageOverlayLook,
  type OverlayChoice,
} from "./imageOverlay.js";
export {
  audioLine,
  audioTimelineLayout,
  audioWeights,
  drawAudioTimeline,
  type AudioChoice,
  type AudioTimelineLayout,
  type AudioTimelineLook,
} from "./audioTimeline.js";
export { drawMatrix, matrixLayout, type MatrixDrawing, type MatrixLayout } from "./matrix.js";
export { matrixRamp, type MatrixLook } from "./matrixColours.js";
export {
  drawScatter,
  layerColours,
  scatterLayout,
  type ScatterChoice,
  type ScatterLayout,
  type ScatterLook,
} from "./scatter.js";
export { drawAttributionGraph, drawnText } from "./attributionGraph.js";
export {
  attributionGraphLayout,
  type AttributionGraphLayout,
  type AttributionGraphLook,
} from "./attributionGraphLayout.js";
export { drawModelDiagram, type ModelDiagramLook } from "./modelDiagram.js";
export { svgToPdf, type PdfFonts } from "./pdf/index.js";
export { isMasked, visibleColumns } from "./patternPicture.js";
export { shadeLevel, shades, type Shade, type ShadeLook } from "./shades.js";
export { visibleToken } from "../views/visibleToken.js";
export { writtenStrip } from "./generation.js";
export { differenceMask, pairSummary, pairTop } from "./headPair.js";
export { shadeRamp, stripTop, type ShadedBy } from "./tokenStrip.js";

/**
 * The print-quality picture of a payload as SVG text; undefined when no drawer knows the MIME type.
 *
 * Throws   PayloadError when the payload is invalid; RangeError when a sample or head is not in it
 */
export function figureOf(mime: string, payload: unknown, options: FigureOptions = {}): string | undefined {
  return Object.hasOwn(drawers, mime) ? drawn(mime as PayloadMime, payload, options) : undefined;
}

function drawn<Mime extends PayloadMime>(mime: Mime, payload: unknown, options: FigureOptions): string {
  const value = payloads[mime].read(payload);
  const { preset: name, ...rest } = options;
  if (name === undefined) return drawers[mime](value, rest);
  if (!Object.hasOwn(presets, name)) {
    throw new RangeError(`figure: unknown preset "${name}"; known: ${Object.keys(presets).join(", ")}`);
  }
  const svg = drawers[mime](value, { ink: "clear", ...rest, widthPx: presetWidth(presets[name]) });
  return scaledDocument(svg, presetScale(presets[name]));
}
