export { activationPatching, type PatchingOptions } from "./activationPatching.js";
export { ablate, type AblateOptions } from "./ablate.js";
export { type AblationRow, AblationTable } from "./ablationTable.js";
export {
  attributionPatching,
  type AttributionPatchingOptions,
  type AttributionPatchingResult,
} from "./attributionPatching.js";
export { type AttributionOptions, type LogitAttribution, logitAttribution } from "./logitAttribution.js";
export { logitDifference, type TokenName } from "./logitDifference.js";
export { headEffect, type HeadEffectOptions } from "./headEffect.js";
export { type LensOptions, type LensResult, logitLens } from "./logitLens.js";
export type { PromptMetric } from "./parts/metric.js";
export type { AblationMode } from "./parts/modes.js";
export type { MassiveActivation } from "./parts/residual.js";
export type { SecondarySink } from "./parts/secondarySinks.js";
export { PatchingMap, type PatchingParts } from "./patchingMap.js";
export { promptLoss } from "./promptLoss.js";
export { type SinkHead, type SinkHeadThresholds, SinkReport, type SinkSample } from "./sinkReport.js";
export { dormancy, type DormancyOptions } from "./dormancy.js";
export { type DormancyRow, DormancyTable } from "./dormancyTable.js";
export { type VisualSink, type VisualSinkOptions, visualSinks, type VisualSinks } from "./visualSinks.js";
export { type SinkOptions, sinks } from "./sinks.js";
export { attentionFlow, type AttentionFlowOptions } from "./attentionFlow.js";
export { attentionGradients, type AttentionGradientOptions } from "./attentionGradients.js";
export { attentionRollout } from "./attentionRollout.js";
export { headDistances } from "./headDistances.js";
export { headImportance, type HeadImportanceOptions } from "./headImportance.js";
export { type HeadRoleOptions, headRoles } from "./headRoles.js";
export { type HeadScore, HeadScores, type HeadScoresParts } from "./headScores.js";
export { Scatter, scatter, type HeadSeries, type ScatterOptions } from "./scatter.js";
export type { HeadOptions } from "./parts/headOptions.js";
export { patternSimilarity, PatternSimilarity, type PatternSimilarityOptions } from "./patternSimilarity.js";
export { type RetrievalCase, retrievalHeads, type RetrievalOptions } from "./retrievalHeads.js";
export { saliency, type Saliency, type SaliencyOptions } from "./saliency.js";
export { type FlowSample, TokenFlow } from "./tokenFlow.js";
export {
  type Composition,
  type CompositionKind,
  type CompositionOptions,
  compositionScores,
  CompositionScores,
} from "./compositionScores.js";
export { type Circuit, headSpectra, type HeadSpectra, type HeadSpectraOptions } from "./headSpectra.js";
export type { WeightForm } from "./parts/headWeights.js";
export type { Svd } from "./parts/svd.js";
export { edgeAttribution, type EdgeAttributionOptions } from "./edgeAttribution.js";
export { AttributionGraph, attributionGraph, type AttributionGraphOptions } from "./attributionGraph.js";
export { AudioAttention, audioAttention, type AudioAttentionOptions } from "./audioAttention.js";
export { ImageAttention, imageAttention, type ImageAttentionOptions } from "./imageAttention.js";
export { maskAttention, type MaskAttentionOptions } from "./maskAttention.js";
export { type EdgeScore, EdgeScores } from "./edgeScores.js";
export { type PathPatchingOptions, type PathReceiver, pathPatching } from "./pathPatching.js";
export { isOffered } from "./parts/headAblation.js";
export { type RunStripOptions, tokenStrip, TokenStrip, type TokenValueOptions } from "./tokenStrip.js";
export { type ComparedHead, compareHeads, HeadPair } from "./compareHeads.js";
