import type { Model } from "../../models/index.js";

/** What unfinished sweeps have done so far, by model and by what identifies the sweep. */
const unfinished = new WeakMap<Model, Map<string, Map<string, readonly number[]>>>();

/** The steps of a sweep: those that an interrupted one has done before are not done again. */
export interface SweepSteps {
  readonly step: (key: string, work: () => Promise<readonly number[]>) => Promise<readonly number[]>;
  /** Forgets the steps: a finished sweep starts anew. */
  readonly finish: () => void;
}

export function sweepSteps(model: Model, identity: string): SweepSteps {
  const ofModel = unfinished.get(model) ?? new Map<string, Map<string, readonly number[]>>();
  unfinished.set(model, ofModel);
  const done = ofModel.get(identity) ?? new Map<string, readonly number[]>();
  ofModel.set(identity, done);
  return {
    step: async (key, work) => {
      const known = done.get(key) ?? (await work());
      done.set(key, known);
      return known;
    },
    finish: () => ofModel.delete(identity),
  };
}
