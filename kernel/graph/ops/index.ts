import type { Operator } from "../op.js";
import { convolution } from "./convolution.js";
import { elementwise } from "./elementwise.js";
import { gelu } from "./gelu.js";
import { linear } from "./linear.js";
import { movement } from "./movement.js";
import { normalize } from "./normalize.js";
import { rank } from "./rank.js";
import { reduce } from "./reduce.js";
import { region } from "./region.js";
import { select } from "./select.js";

export { constant, input, weight } from "./constant.js";

/** Every operator of the graph language by its ONNX name. */
export const operators: Readonly<Record<string, Operator>> = {
  ...elementwise,
  ...reduce,
  ...movement,
  ...region,
  ...gelu,
  ...linear,
  ...convolution,
  ...normalize,
  ...rank,
  ...select,
};
