export { greaterThan, type GreaterThanOptions, type GreaterThanTask } from "./greaterThan.js";
export { ioi, type IoiOptions, type IoiTask } from "./ioi.js";
export { needle, type NeedleOptions, type NeedleTask } from "./needle.js";
export { type RepeatedTokens, repeatedTokens, type RepeatedTokensOptions } from "./repeatedTokens.js";
