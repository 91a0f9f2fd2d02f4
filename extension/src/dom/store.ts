/** A value that tells its listeners when a part of it changes. */
export interface Store<State extends object> {
  readonly state: State;
  /** Sets the given parts; listeners run only if one of them differs. */
  readonly set: (change: Partial<State>) => void;
  /** Runs `listener` after every change; returns a function that ends it. */
  readonly listen: (listener: (state: State, before: State) => void) => () => void;
}

/** A store that starts with `initial`. */
export function createStore<State extends object>(initial: State): Store<State> {
  let state = initial;
  const listeners = new Set<(state: State, before: State) => void>();
  return {
    get state(): State {
      return state;
    },
    set(change: Partial<State>): void {
      const before = state;
      const next = { ...state, ...change };
      if ((Object.keys(change) as (keyof State)[]).every((key) => Object.is(before[key], next[key]))) return;
      state = next;
      for (const listener of [...listeners]) listener(state, before);
    },
    listen(listener): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
