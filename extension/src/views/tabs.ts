import { handled, ownKeys, passAccelerators } from "../a11y/shortcuts.js";
import { element } from "../dom/element.js";
import type { View } from "./view.js";

/** Several views, one at a time: a tab for each. */
export function tabbedView(
  className: string,
  label: string,
  entries: readonly { readonly name: string; readonly view: () => View }[],
): View {
  const panel = element("div", { class: `${className}-panel`, role: "tabpanel" });
  const tabs = entries.map(({ name }, index) => {
    const tab = ownKeys(element("button", { class: "jp-AttentionButton", type: "button", role: "tab" }, name));
    tab.addEventListener("click", () => show(index));
    return tab;
  });
  const list = element("div", { class: "jp-AttentionTabs", role: "tablist", "aria-label": label }, ...tabs);
  const node = element("div", { class: className }, list, panel);
  // Drawn when first shown; each keeps its focused head and its settings while another is looked at.
  const views = new Map<number, View>();
  let current = 0;

  function show(index: number): void {
    current = index;
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    const entry = entries[index];
    if (!entry) return;
    const view = views.get(index) ?? entry.view();
    views.set(index, view);
    panel.setAttribute("aria-label", entry.name);
    panel.replaceChildren(view.node);
    view.draw();
  }

  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: tabs.length - 1 }[event.key];
    if (step === undefined) return;
    handled(event);
    show((current + step) % tabs.length);
    tabs[current]?.focus();
  });
  const endAccelerators = passAccelerators(list);
  show(0);

  return {
    node,
    draw: () => views.get(current)?.draw(),
    dispose(): void {
      endAccelerators();
      for (const view of views.values()) view.dispose();
      node.remove();
    },
  };
}
