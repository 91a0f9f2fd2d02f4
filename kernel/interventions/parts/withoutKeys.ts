import { hiddenScore } from "../../attention/steps.js";
import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import type { EditSite } from "../../models/index.js";
import { inHeads, type HeadChoice } from "./heads.js";
import { isHidden, scoresAddress } from "./scores.js";

/**
 * Hides keys from queries, as an edit of the scores and of the pattern: the pattern is edited too, because a softmax over
 * hidden scores alone would spread over what the model hides.
 *
 * Shapes   value scores or pattern [B,H,Q,K] · cut [B,1,Q,K] bool
 */
export function withoutKeys(place: string, value: Value, cut: Value, site: EditSite, head: HeadChoice["head"]): Value {
  if (site.address.endsWith(".scores")) {
    return inHeads(place, site, head, value, build.where(cut, hiddenScore, value));
  }
  const hidden = isHidden(site.at(scoresAddress(site.address)));
  const isCutRow = build.greater(build.reduceMax(build.cast(cut, "float32"), [3], true), 0);
  return inHeads(place, site, head, value, build.where(build.and(isCutRow, hidden), 0, value));
}
