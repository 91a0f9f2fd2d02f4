import { tokenStrip } from "../analyses/index.js";
import { index, text, type Experiment } from "./question.js";

const big = Number.MAX_SAFE_INTEGER;

/** The text shaded by another head, or by the mean over the heads of a layer where `head` is null. */
export const strip: Experiment = async (run, asked) => {
  const head = asked["head"] === null ? {} : { head: index(asked, "head", big) };
  const place = { stack: text(asked, "stack"), layer: index(asked, "layer", big), prompt: index(asked, "sample", big) };
  return { data: { payload: await tokenStrip(run, { ...place, ...head }).payload() } };
};
