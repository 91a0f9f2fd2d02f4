import { createStore, type Store } from "../dom/store.js";

/** A head by its place. */
export interface MarkedHead {
  readonly layer: number;
  readonly head: number;
}

/** What readers have chosen of a run; all figures of the run in a notebook share it. */
export interface Selection {
  readonly head: MarkedHead | undefined;
  /** Heads that are marked together, as by a rectangle in a scatter. */
  readonly marked: readonly MarkedHead[];
  readonly sample: number;
  /** The weight that is pinned: its query and key. */
  readonly weight: { readonly query: number; readonly key: number } | undefined;
}

/** The selections of a notebook, one for each kind of attention of each run. */
export interface Selections {
  readonly of: (run: string, stack: string) => Store<Selection>;
}

export function createSelections(): Selections {
  const stores = new Map<string, Store<Selection>>();
  return {
    of(run, stack) {
      const key = JSON.stringify([run, stack]);
      const known = stores.get(key);
      if (known) return known;
      const made = createStore<Selection>({ head: undefined, marked: [], sample: 0, weight: undefined });
      stores.set(key, made);
      return made;
    },
  };
}
