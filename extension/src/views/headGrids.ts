import type { HeadGridPayload, HeadGridsPayload } from "attention-lab/views";
import { headGridView } from "./headGrid/index.js";
import { isSameGrid } from "./headGrid/sameGrid.js";
import { tabbedView } from "./tabs.js";
import type { View, ViewContext } from "./view.js";

/** Several head grids, one at a time: a tab for each kind of attention. */
export function headGridsView(payload: HeadGridsPayload, context: ViewContext): View {
  const { title, stacks } = payload;
  const grids = new Map<number, View>();
  let latest = payload;

  /** A grid saves itself as one of the stacks. */
  const save = (at: number, grid: HeadGridPayload): void => {
    latest = { ...latest, stacks: latest.stacks.map((stack, i) => (i === at ? { ...stack, grid } : stack)) };
    context.save?.(latest);
  };
  const tabs = stacks.map(({ name, grid: first }, at) => ({
    name,
    view: (): View => {
      const own = { ...context, save: context.save && ((grid: unknown): void => save(at, grid as HeadGridPayload)) };
      const view = headGridView(latest.stacks[at]?.grid ?? first, own);
      grids.set(at, view);
      return view;
    },
  }));
  return {
    ...tabbedView("jp-AttentionHeadGrids", title, tabs),
    update(changed): boolean {
      const other = changed as HeadGridsPayload;
      const isSame = stacks.every(({ grid }, at) => {
        const next = other.stacks[at]?.grid;
        return next !== undefined && isSameGrid(grid, next);
      });
      if (!isSame || other.stacks.length !== stacks.length) return false;
      latest = other;
      for (const [at, view] of grids) view.update?.(other.stacks[at]?.grid);
      return true;
    },
  };
}
