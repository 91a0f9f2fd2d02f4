import { compareHeads } from "../analyses/index.js";
import { headAsked, index, type Experiment } from "./question.js";

const big = Number.MAX_SAFE_INTEGER;

/** Two heads of the run side by side. */
export const pair: Experiment = async (run, asked) => {
  const a = headAsked(run, asked);
  const b = { ...a, layer: index(asked, "otherLayer", big), head: index(asked, "otherHead", big) };
  return { data: { payload: (await compareHeads({ run, ...a }, { run, ...b })).payload } };
};
