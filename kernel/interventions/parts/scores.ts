import { hiddenScore } from "../../attention/steps.js";
import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";

/** Whether a key is hidden from a query: no score that attention can compute comes near. */
export function isHidden(scores: Value): Value {
  return build.less(scores, hiddenScore / 4);
}

/** The scores of the same layer as an address of its attention. */
export function scoresAddress(address: string): string {
  return address.replace(/\.[^.]+$/, ".scores");
}
