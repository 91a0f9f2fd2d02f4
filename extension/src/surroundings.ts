import type { LiveRun } from "./link/liveRun.js";
import type { Selections } from "./link/selections.js";

/** What a figure finds around it in a notebook; a saved figure elsewhere has none of it. */
export interface Surroundings {
  /** The kernel's side of a run. */
  readonly live: (run: string) => LiveRun;
  /** What readers have chosen, shared by the figures of a run. */
  readonly selections: Selections;
}
