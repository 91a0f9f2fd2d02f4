export { ablate, type AblateOptions } from "./ablate.js";
export { type AblationRow, AblationTable } from "./ablationTable.js";
export { logitDifference, type TokenName } from "./logitDifference.js";
export type { PromptMetric } from "./parts/metric.js";
export type { AblationMode } from "./parts/modes.js";
export { promptLoss } from "./promptLoss.js";
