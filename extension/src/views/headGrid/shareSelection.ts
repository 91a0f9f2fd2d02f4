import type { Store } from "../../dom/store.js";
import type { Selection } from "../../link/selections.js";
import type { HeadGridModel } from "./model.js";
import { sameHead, type HeadGridState, type HeadGridStore } from "./state.js";

/**
 * Keeps a grid and the other figures of its run at the same head and weight. A grid that shows all heads only marks the
 * chosen one, unless it `follows`: a click in one figure must not change the height of another. Returns a function that ends it.
 */
export function shareSelection(
  model: HeadGridModel,
  store: HeadGridStore,
  selection: Store<Selection> | undefined,
  follows: boolean,
): () => void {
  if (!selection) return () => undefined;
  const tell = (state: HeadGridState, before: HeadGridState): void => {
    if (state.marked !== before.marked) selection.set({ marked: state.marked });
    const isNew = state.focused && !(sameHead(state.focused, before.focused) && state.sample === before.sample);
    if (isNew) selection.set({ head: state.focused, sample: state.sample });
    if (state.focused && state.pinned && state.pinned !== before.pinned) {
      const { block } = model.fine(state.sample, state.focused).source;
      selection.set({ weight: { query: state.pinned.row * block, key: state.pinned.column * block } });
    }
  };
  const hear = ({ head, marked, sample, weight }: Selection, before: Selection): void => {
    const { state } = store;
    store.set({ selected: head, marked, ...(follows ? { sample } : {}) });
    if (!head || !(state.focused || follows)) return;
    if (!sameHead(state.focused, head))
      store.set({ current: head, focused: head, pinned: undefined, pointed: undefined });
    if (!weight || weight === before.weight || sample !== store.state.sample) return;
    const { block } = model.fine(sample, head).source;
    const pinned = { row: Math.floor(weight.query / block), column: Math.floor(weight.key / block) };
    if (state.pinned?.row !== pinned.row || state.pinned.column !== pinned.column) store.set({ pinned });
  };
  const ends = [store.listen(tell), selection.listen(hear)];
  hear(selection.state, selection.state);
  return () => ends.forEach((end) => end());
}
