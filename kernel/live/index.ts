import { ablate } from "./ablate.js";
import { known } from "./known.js";
import { line } from "./line.js";
import type { Experiment, Question } from "./question.js";
import { pair } from "./pair.js";
import { strip } from "./strip.js";
import { tile } from "./tile.js";
import { weight } from "./weight.js";

/** What a figure may ask about its run, by name; answered at once. */
export const questions: Readonly<Record<string, Question>> = { known, tile, weight, line };

/** What a figure may have tried on its run, by name; the model runs again. */
export const experiments: Readonly<Record<string, Experiment>> = { ablate, strip, pair };

export type { Asked, Experiment, LiveAnswer, LiveSettings, Question } from "./question.js";
export { createSharedRuns, type SharedRuns, type SharedRunsOptions } from "./sharedRuns.js";
