import { ablationTableMime, ablationTableText, readAblationTable, type AblationTablePayload } from "./ablationTable.js";
import {
  attributionGraphMime,
  attributionGraphText,
  readAttributionGraph,
  type AttributionGraphPayload,
} from "./attributionGraph.js";
import { audioTimelineMime, audioTimelineText, readAudioTimeline, type AudioTimelinePayload } from "./audioTimeline.js";
import { curvesMime, curvesText, readCurves, type CurvesPayload } from "./curves.js";
import { generationMime, generationText, readGeneration, type GenerationPayload } from "./generation.js";
import { headGridMime, headGridText, readHeadGrid, type HeadGridPayload } from "./headGrid.js";
import { headPairMime, headPairText, readHeadPair, type HeadPairPayload } from "./headPair.js";
import { headGridsMime, headGridsText, readHeadGrids, type HeadGridsPayload } from "./headGrids.js";
import { imageOverlayMime, imageOverlayText, readImageOverlay, type ImageOverlayPayload } from "./imageOverlay.js";
import { matrixMime, matrixText, readMatrix, type MatrixPayload } from "./matrix.js";
import { modelDiagramMime, modelDiagramText, readModelDiagram, type ModelDiagramPayload } from "./modelDiagram.js";
import { panelsMime, panelsText, readPanels, type PanelsPayload } from "./panels.js";
import { readScatter, scatterMime, scatterText, type ScatterPayload } from "./scatter.js";
import { readTokenStrip, tokenStripMime, tokenStripText, type TokenStripPayload } from "./tokenStrip.js";

/** What the lab knows about one kind of payload. */
export interface Payload<Value> {
  /** Checks a foreign value; throws PayloadError with a readable reason. */
  readonly read: (value: unknown) => Value;
  /** The multi-line summary that stands beside the picture as `text/plain`. */
  readonly text: (payload: Value) => string;
}

/** What each MIME type holds: one line per view. */
export interface PayloadTypes {
  readonly [headGridMime]: HeadGridPayload;
  readonly [headGridsMime]: HeadGridsPayload;
  readonly [curvesMime]: CurvesPayload;
  readonly [matrixMime]: MatrixPayload;
  readonly [ablationTableMime]: AblationTablePayload;
  readonly [panelsMime]: PanelsPayload;
  readonly [scatterMime]: ScatterPayload;
  readonly [imageOverlayMime]: ImageOverlayPayload;
  readonly [modelDiagramMime]: ModelDiagramPayload;
  readonly [headPairMime]: HeadPairPayload;
  readonly [generationMime]: GenerationPayload;
  readonly [tokenStripMime]: TokenStripPayload;
  readonly [attributionGraphMime]: AttributionGraphPayload;
  readonly [audioTimelineMime]: AudioTimelinePayload;
}

/** Every payload by MIME type: one line per view. */
export const payloads: { readonly [Mime in keyof PayloadTypes]: Payload<PayloadTypes[Mime]> } = {
  [headGridMime]: { read: readHeadGrid, text: headGridText },
  [headGridsMime]: { read: readHeadGrids, text: headGridsText },
  [curvesMime]: { read: readCurves, text: curvesText },
  [matrixMime]: { read: readMatrix, text: matrixText },
  [ablationTableMime]: { read: readAblationTable, text: ablationTableText },
  [panelsMime]: { read: readPanels, text: panelsText },
  [scatterMime]: { read: readScatter, text: scatterText },
  [imageOverlayMime]: { read: readImageOverlay, text: imageOverlayText },
  [modelDiagramMime]: { read: readModelDiagram, text: modelDiagramText },
  [headPairMime]: { read: readHeadPair, text: headPairText },
  [generationMime]: { read: readGeneration, text: generationText },
  [tokenStripMime]: { read: readTokenStrip, text: tokenStripText },
  [attributionGraphMime]: { read: readAttributionGraph, text: attributionGraphText },
  [audioTimelineMime]: { read: readAudioTimeline, text: audioTimelineText },
};

/** MIME types that a view must draw. */
export type PayloadMime = keyof PayloadTypes;
