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
export { type LensOptions, type LensResult, logitLens } from "./logitLens.js";
export type { PromptMetric } from "./parts/metric.js";
export type { AblationMode } from "./parts/modes.js";
export type { MassiveActivation } from "./parts/residual.js";
export type { SecondarySink } from "./parts/secondarySinks.js";
export { PatchingMap, type PatchingParts } from "./patchingMap.js";
export { promptLoss } from "./promptLoss.js";
export { type SinkHead, SinkReport, type SinkSample } from "./sinkReport.js";
export { type SinkOptions, sinks } from "./sinks.js";
