import type { FigureAction } from "../actions.js";
import { ownKeys } from "../a11y/shortcuts.js";
import { element, icon } from "../dom/element.js";
import type { Words } from "../words.js";

/** A button that shows and hides the numbers behind a figure. */
export function tableButton(words: Words, act: (action: FigureAction) => void): HTMLButtonElement {
  const button = ownKeys(
    element(
      "button",
      {
        class: "jp-AttentionButton jp-mod-icon",
        type: "button",
        title: words.__("View as table"),
        "aria-label": words.__("View as table"),
      },
      icon("M2.5 3.5h11v9h-11z", "M2.5 6.5h11M2.5 9.5h11M6.5 3.5v9"),
    ),
  );
  button.addEventListener("click", () => act("toggle-table"));
  return button;
}
