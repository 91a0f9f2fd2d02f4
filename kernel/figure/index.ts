export { effectMatrix, rowsBySize } from "./ablationTable.js";
import { payloads, type PayloadMime } from "../views/index.js";
import { drawers, type FigureOptions } from "./drawers.js";

export { curvesLayout, drawCurves, lineLook, type CurvesLayout, type CurvesLook } from "./curves.js";
export type { FigureOptions } from "./drawers.js";
export { niceTop, scaleNames, scalePosition, scaleTicks, type ScaleName } from "./colourScale.js";
export { axisOver, tickText, type Axis } from "./axis.js";
export { largestWeight, type ColourRamp } from "./frame.js";
export { inks, strokes, type Ink, type InkName } from "./inks.js";
export { differenceColours, maskColour, paletteColours, paletteNames, type PaletteName } from "./palettes.js";
export { drawMatrix, matrixLayout, type MatrixDrawing, type MatrixLayout } from "./matrix.js";
export { matrixRamp, type MatrixLook } from "./matrixColours.js";
export { svgToPdf, type PdfFonts } from "./pdf/index.js";
export { isMasked } from "./patternPicture.js";
export { visibleToken } from "./svg.js";

/**
 * The print-quality picture of a payload as SVG text; undefined when no drawer knows the MIME type.
 *
 * Throws   PayloadError when the payload is invalid; RangeError when a sample or head is not in it
 */
export function figureOf(mime: string, payload: unknown, options: FigureOptions = {}): string | undefined {
  return Object.hasOwn(drawers, mime) ? drawn(mime as PayloadMime, payload, options) : undefined;
}

function drawn<Mime extends PayloadMime>(mime: Mime, payload: unknown, options: FigureOptions): string {
  return drawers[mime](payloads[mime].read(payload), options);
}
