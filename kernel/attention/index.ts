export type { LawResult } from "./laws/index.js";
export { laws, lawsOf } from "./laws/index.js";
export type { Mask } from "./mask.js";
export { and, maskTensor, not, or } from "./mask.js";
export * as masks from "./masks/index.js";
export type {
  AskedSizes,
  Attended,
  Call,
  GateSpec,
  Limit,
  Mechanism,
  MechanismSpec,
  ParameterSpec,
  Promises,
  Sizes,
  Stream,
} from "./mechanism.js";
export { mechanism, sizesOf } from "./mechanism.js";
export * as mechanisms from "./mechanisms/index.js";
export * as positions from "./positions/index.js";
export type { SequenceSizes } from "./stateNumbers.js";
export { stateNumbers } from "./stateNumbers.js";
export type { ReferenceHead, ReferenceResult, Rows } from "./reference.js";
export { product } from "./reference.js";
