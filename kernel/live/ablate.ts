import { headEffect } from "../analyses/index.js";
import type { HeadAblation } from "../views/index.js";
import { headAsked, text, type Experiment } from "./question.js";

/** What taking a head out changes: the model runs again without it. */
export const ablate: Experiment = async (run, asked, { signal, progress }) => {
  const { stack, layer, head, prompt } = headAsked(run, asked);
  const mode = text(asked, "mode") as HeadAblation;
  const effect = await headEffect(run, { stack, layer, head, mode, prompt, signal, onProgress: progress });
  return { data: { effect } };
};
