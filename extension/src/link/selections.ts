import { createStore, type Store } from "../dom/store.js";

/** What readers have chosen of a run; all figures of the run in a notebook share it. */
export interface Selection {
  readonly head: { readonly layer: number; readonly head: number } | undefined;
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
      const made = createStore<Selection>({ head: undefined, sample: 0, weight: undefined });
      stores.set(key, made);
      return made;
    },
  };
}
