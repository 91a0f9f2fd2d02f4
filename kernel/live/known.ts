import { isOffered } from "../analyses/index.js";
import { ablationModes } from "../views/index.js";
import type { Question } from "./question.js";

/** Whether the run is at hand (a question about another one is refused before), and how its heads can be taken out. */
export const known: Question = (run) => ({ data: { modes: ablationModes.filter((mode) => isOffered(run, mode)) } });
