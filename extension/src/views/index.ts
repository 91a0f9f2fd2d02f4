import "../../../style/views.js";
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
  payloads,
  scatterMime,
  tokenStripMime,
  type PayloadMime,
  type PayloadTypes,
} from "attention-lab/views";
import { ablationTableView } from "./ablationTable/index.js";
import { attributionGraphView } from "./attributionGraph/index.js";
import { audioTimelineView } from "./audioTimeline/index.js";
import { curvesView } from "./curves/index.js";
import { generationView } from "./generation/index.js";
import { headGridView } from "./headGrid/index.js";
import { headGridsView } from "./headGrids.js";
import { headPairView } from "./headPair/index.js";
import { imageOverlayView } from "./imageOverlay/index.js";
import { matrixView } from "./matrix/index.js";
import { modelDiagramView } from "./modelDiagram/index.js";
import { panelsView } from "./panels.js";
import { scatterView } from "./scatter/index.js";
import { tokenStripView } from "./tokenStrip/index.js";
import type { View, ViewContext } from "./view.js";

/** Every view by the MIME type it draws: a payload without a view does not compile. */
const views: { readonly [Mime in PayloadMime]: (payload: PayloadTypes[Mime], context: ViewContext) => View } = {
  [headGridMime]: headGridView,
  [headGridsMime]: headGridsView,
  [curvesMime]: curvesView,
  [matrixMime]: matrixView,
  [ablationTableMime]: ablationTableView,
  [panelsMime]: panelsView,
  [scatterMime]: scatterView,
  [imageOverlayMime]: imageOverlayView,
  [modelDiagramMime]: modelDiagramView,
  [headPairMime]: headPairView,
  [generationMime]: generationView,
  [tokenStripMime]: tokenStripView,
  [attributionGraphMime]: attributionGraphView,
  [audioTimelineMime]: audioTimelineView,
};

/**
 * Checks a value and draws it.
 *
 * Throws   PayloadError with a readable reason when the value is not a valid payload of this MIME type
 */
export function viewOf<Mime extends PayloadMime>(mime: Mime, value: unknown, context: ViewContext): View {
  return views[mime](payloads[mime].read(value), context);
}

/** Checks a value and hands it to a view that shows an earlier payload; false where the view must start anew. */
export function updateView<Mime extends PayloadMime>(view: View, mime: Mime, value: unknown): boolean {
  return view.update?.(payloads[mime].read(value)) ?? false;
}

/** A bundle with another payload, and the summary that stands beside it. */
export function bundleWith<Mime extends PayloadMime>(
  bundle: Readonly<Record<string, unknown>>,
  mime: Mime,
  payload: unknown,
): Record<string, unknown> {
  const { read, text } = payloads[mime];
  return { ...bundle, [mime]: payload, "text/plain": text(read(payload)) };
}

/** Whether a MIME type has a view. */
export function isKnown(mime: string): mime is PayloadMime {
  return Object.hasOwn(views, mime);
}
