import type { CancelSignal, Engine } from "../graph/index.js";
import type { Fit } from "./fit.js";

/** What training needs of the world outside; the facade provides it. */
export interface TrainingHost {
  readonly engine: Engine;
  readonly interruptSignal: () => CancelSignal | undefined;
  /** Milliseconds from any start. */
  readonly clock: () => number;
  /** The bytes of a file; undefined where there is none. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>;
  /** Puts bytes in the place of a file in one step: whoever reads it, finds the old ones or the new ones whole. */
  readonly replace: (path: string, bytes: Uint8Array) => Promise<void>;
  /** Where a run shows how far it is; `finish` leaves the last state in place. */
  readonly report: (title: string) => Report;
}

export interface Report {
  readonly update: (fit: Fit, pace: Pace) => void;
  readonly finish: (fit: Fit, pace: Pace) => void;
}

export interface Pace {
  readonly msPerStep: number;
}
