import type { ComputeOptions, GraphEdit } from "../../models/index.js";

/** What every analysis of heads takes. */
export interface HeadOptions {
  /** Applied to the model first: the heads are measured as they are then. */
  readonly interventions?: readonly GraphEdit[];
  /** Of the bootstrap; default 0. */
  readonly seed?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

export const headOptions: readonly (keyof HeadOptions)[] = ["interventions", "seed", "onProgress", "signal"];

/** The part that a pass of the model takes. */
export function settingsOf({ interventions, signal }: HeadOptions): ComputeOptions {
  return { ...(interventions ? { interventions } : {}), ...(signal ? { signal } : {}) };
}
