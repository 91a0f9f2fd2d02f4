import { curvesMime, type Panel, type PanelsPayload } from "attention-lab/views";
import { element } from "../dom/element.js";
import { curvesView } from "./curves/index.js";
import { matrixView } from "./matrix/index.js";
import { tabbedView } from "./tabs.js";
import type { View, ViewContext } from "./view.js";

/** A report: its sentences, and its pictures one at a time. */
export function panelsView({ title, summary, panels }: PanelsPayload, context: ViewContext): View {
  const viewOf = (panel: Panel): View =>
    panel.mime === curvesMime ? curvesView(panel.payload, context) : matrixView(panel.payload, context);
  const tabs = panels.map((panel) => ({ name: panel.name, view: () => viewOf(panel) }));
  const view = tabbedView("jp-AttentionPanels", title, tabs);
  const sentences = summary.map((sentence) => element("li", {}, sentence));
  view.node.prepend(
    element("div", { class: "jp-AttentionFigure-title" }, title),
    element("ul", { class: "jp-AttentionPanels-summary" }, ...sentences),
  );
  return view;
}
