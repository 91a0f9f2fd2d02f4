export { adam, type AdamOptions } from "./adam.js";
export { lion, type LionOptions } from "./lion.js";
export { sgd, type SgdOptions } from "./sgd.js";
