import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";

/** A hidden key's score, as the masks of all families write it. */
export const hiddenScore = -3.4028234663852886e38;

/** Whether a key is hidden from a query: no score that attention can compute comes near. */
export function isHidden(scores: Value): Value {
  return build.less(scores, hiddenScore / 4);
}

/** The scores of the same layer as an address of its attention. */
export function scoresAddress(address: string): string {
  return address.replace(/\.[^.]+$/, ".scores");
}
