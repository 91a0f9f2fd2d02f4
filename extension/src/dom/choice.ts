import { ownKeys } from "../a11y/shortcuts.js";
import { element } from "./element.js";

/** A select with a label; `onChoice` hears the value that was chosen. */
export function choice(
  label: string,
  options: readonly { readonly value: string; readonly label: string }[],
  onChoice: (value: string) => void,
): HTMLSelectElement {
  const select = ownKeys(
    element(
      "select",
      { class: "jp-AttentionSelect", "aria-label": label, title: label },
      ...options.map((option) => element("option", { value: option.value }, option.label)),
    ),
  );
  select.addEventListener("change", () => onChoice(select.value));
  return select;
}
