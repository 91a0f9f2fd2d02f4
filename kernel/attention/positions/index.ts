export { alibi, alibiSlopes } from "./alibi.js";
export { relative, skew } from "./relative.js";
export { rotary } from "./rotary.js";
