export {
  ablationMeasures,
  ablationTable,
  ablationTableMime,
  ablationTableText,
  readAblationTable,
  type AblationColumns,
  type AblationMeasure,
  type AblationTableInput,
  type AblationTablePayload,
} from "./ablationTable.js";
export {
  attributionGraph,
  attributionGraphMime,
  attributionGraphText,
  readAttributionGraph,
  type AttributionGraphOptions,
  type AttributionGraphPayload,
  type GraphKind,
  type NamedEdge,
} from "./attributionGraph.js";
export {
  audioMapsThatFit,
  audioTimeline,
  audioTimelineMime,
  audioTimelineText,
  peakText,
  readAudioTimeline,
  type AudioMap,
  type AudioTimelineOptions,
  type AudioTimelinePayload,
  type Spectrum,
} from "./audioTimeline.js";
export { encodeBase64 } from "./base64.js";
export { payloadNpz } from "./arrays.js";
export { columnsCsv, columnsOf, type Column } from "./columns.js";
export {
  curves,
  curvesMime,
  curvesText,
  readCurves,
  type AxisScale,
  type Curve,
  type CurvesOptions,
  type CurvesPayload,
  type StoredCurve,
} from "./curves.js";
export {
  ablationModes,
  headEffectCaps,
  headEffectText,
  isSameAblation,
  type HeadAblation,
  type HeadEffect,
  type MovedToken,
} from "./headEffect.js";
export { decodeHalf, encodeHalf } from "./half.js";
export {
  headGrid,
  headGridMime,
  headGridText,
  readHeadGrid,
  type HeadGridInput,
  type HeadGridPayload,
  type HeadGridSample,
} from "./headGrid.js";
export {
  headGrids,
  headGridsMime,
  headGridsText,
  readHeadGrids,
  type HeadGridsPayload,
  type HeadGridStack,
} from "./headGrids.js";
export { headGridCaps, headGridVersion, type LiveName } from "./headGridPayload.js";
export { clip, type Heading, type Provenance } from "./heading.js";
export { headScalarNames, type HeadScalars } from "./headScalars.js";
export {
  matrix,
  matrixMime,
  matrixText,
  readMatrix,
  type MatrixAxis,
  type MatrixOptions,
  type MatrixPayload,
} from "./matrix.js";
export { maxPool } from "./maxPool.js";
export { panels, panelsMime, panelsText, readPanels, type Panel, type PanelsPayload } from "./panels.js";
export {
  readPatterns,
  type PatternCodec,
  type PatternReader,
  type StoredHead,
  type StoredPatterns,
} from "./patternStore.js";
export {
  imageOverlay,
  imageOverlayMime,
  imageOverlayText,
  mapsThatFit,
  maskReader,
  pictureIndices,
  pictureTable,
  readImageOverlay,
  smallerPicture,
  type ImageOverlayOptions,
  type ImageOverlayPayload,
  type OverlayMap,
  type PixelMask,
  type PixelPicture,
} from "./imageOverlay.js";
export {
  readScatter,
  scatter,
  scatterMime,
  scatterText,
  type ScatterOptions,
  type ScatterPayload,
  type ScatterPoint,
} from "./scatter.js";
export {
  diagramParts,
  isOnStream,
  modelDiagram,
  modelDiagramMime,
  modelDiagramText,
  readModelDiagram,
  type DiagramActivation,
  type DiagramLevel,
  type ModelDiagramPayload,
} from "./modelDiagram.js";
export { modelSizeText, sampleSizeText } from "./sizeText.js";
export { PayloadError } from "./payloadError.js";
export { payloads, type Payload, type PayloadMime, type PayloadTypes } from "./payloads.js";
export { readLines, type Line, type LineReader } from "./storedLines.js";
export { decodeTile, encodeTile, type CodedTile } from "./tile.js";
export {
  largestKeys,
  readTokenStrip,
  tokenStrip,
  tokenStripMime,
  tokenStripText,
  type AttentionLines,
  type LiveLines,
  type StoredLines,
  type TokenStripInput,
  type TokenStripPayload,
} from "./tokenStrip.js";
export { tokenStripCaps } from "./tokenStripPayload.js";
export {
  headPair,
  headPairMime,
  headPairText,
  meanVariation,
  readHeadPair,
  readPair,
  type HeadPairInput,
  type HeadPairPayload,
  type WeightDifference,
} from "./headPair.js";
export {
  generation,
  generationMime,
  generationText,
  readGeneration,
  type GenerationInput,
  type GenerationPayload,
  type LikelyToken,
  type WrittenText,
} from "./generation.js";
