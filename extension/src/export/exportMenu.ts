import type { FigureAction } from "../actions.js";
import { handled, ownKeys } from "../a11y/shortcuts.js";
import { element, icon } from "../dom/element.js";
import type { Words } from "../words.js";

/** A button with a menu of ways to take a figure out of the notebook. */
export function exportMenu(words: Words, act: (action: FigureAction) => void): HTMLElement {
  const entries: readonly (readonly [FigureAction, string])[] = [
    ["copy-png", words.__("Copy as PNG")],
    ["copy-svg", words.__("Copy as SVG")],
    ["save-png", words.__("Save PNG…")],
    ["save-svg", words.__("Save SVG…")],
    ["save-pdf", words.__("Save PDF…")],
    ["save-csv", words.__("Save numbers as CSV…")],
    ["save-json", words.__("Save numbers as JSON…")],
    ["save-npz", words.__("Save numbers for NumPy…")],
  ];
  const label = words.__("Copy or save the picture");
  const button = ownKeys(
    element(
      "button",
      {
        class: "jp-AttentionButton jp-mod-icon",
        type: "button",
        title: label,
        "aria-label": label,
        "aria-haspopup": "menu",
        "aria-expanded": "false",
      },
      icon("M8 2.5v7", "M5 6.8 8 9.8l3-3", "M2.8 11v2.5h10.4V11"),
    ),
  );
  const items = entries.map(([action, text]) => {
    const item = ownKeys(
      element("button", { class: "jp-AttentionMenu-item", type: "button", role: "menuitem", tabindex: -1 }, text),
    );
    item.addEventListener("click", () => {
      open(false);
      button.focus();
      act(action);
    });
    return item;
  });
  const menu = element("div", { class: "jp-AttentionMenu", role: "menu", "aria-label": label }, ...items);
  const node = element("div", { class: "jp-AttentionMenu-host" }, button, menu);
  const open = (shown: boolean): void => {
    menu.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (shown) items[0]?.focus();
  };
  open(false);
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
  node.addEventListener("focusout", (event) => {
    if (!(event.relatedTarget instanceof Node) || !node.contains(event.relatedTarget)) open(false);
  });
  menu.addEventListener("keydown", (event) => {
    const at = items.findIndex((item) => item === document.activeElement);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      handled(event);
      items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length]?.focus();
    } else if (event.key === "Escape") {
      handled(event);
      open(false);
      button.focus();
    }
  });
  return node;
}
