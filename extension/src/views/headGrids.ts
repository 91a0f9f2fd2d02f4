import type { HeadGridsPayload } from "attention-lab/views";
import { headGridView } from "./headGrid/index.js";
import { tabbedView } from "./tabs.js";
import type { View, ViewContext } from "./view.js";

/** Several head grids, one at a time: a tab for each kind of attention. */
export function headGridsView({ title, stacks }: HeadGridsPayload, context: ViewContext): View {
  const tabs = stacks.map(({ name, grid }) => ({ name, view: () => headGridView(grid, context) }));
  return tabbedView("jp-AttentionHeadGrids", title, tabs);
}
