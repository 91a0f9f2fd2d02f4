import { paletteNames, scaleNames, visibleToken, type PaletteName, type ScaleName } from "attention-lab/figure";
import type { FigureAction } from "../../actions.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element, icon } from "../../dom/element.js";
import type { Words } from "../../words.js";
import type { HeadGridModel } from "./model.js";
import type { HeadGridState, HeadGridStore } from "./state.js";

/** Title, sample, palette, scale, and a menu. */
export interface Toolbar {
  readonly node: HTMLElement;
  readonly show: (state: HeadGridState) => void;
}

export function createToolbar(
  model: HeadGridModel,
  store: HeadGridStore,
  words: Words,
  act: (action: FigureAction) => void,
): Toolbar {
  const { payload } = model;
  const subtitle = element("span", { class: "jp-AttentionHeadGrid-subtitle" });
  const palette = choice(
    words.__("Palette"),
    paletteNames.map((name) => ({ value: name, label: name })),
    (value) => store.set({ palette: value as PaletteName }),
  );
  const scaleLabels: Readonly<Record<ScaleName, string>> = {
    linear: words.__("linear"),
    sqrt: words.__("square root"),
  };
  const scale = choice(
    words.__("Colour scale"),
    scaleNames.map((name) => ({ value: name, label: scaleLabels[name] })),
    (value) => store.set({ scale: value as ScaleName }),
  );
  const sample = choice(
    words.__("Sample"),
    payload.samples.map(({ text, keyTokens }, index) => ({
      value: String(index),
      label: `${index + 1}. ${shorten(text ?? keyTokens.map(visibleToken).join(" "))}`,
    })),
    (value) => store.set({ sample: Number(value), pointed: undefined, pinned: undefined }),
  );
  sample.classList.add("jp-mod-sample");
  sample.hidden = payload.samples.length < 2;
  const table = ownKeys(
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
  table.addEventListener("click", () => act("toggle-table"));
  const node = element(
    "div",
    { class: "jp-AttentionHeadGrid-toolbar" },
    element(
      "div",
      { class: "jp-AttentionHeadGrid-titles" },
      element("span", { class: "jp-AttentionHeadGrid-title" }, payload.title),
      subtitle,
    ),
    element("div", { class: "jp-AttentionHeadGrid-tools" }, sample, palette, scale, table, exportMenu(words, act)),
  );
  return {
    node,
    show(state): void {
      const { queryTokens, keyTokens } = model.sample(state.sample);
      const tokens =
        queryTokens.length === keyTokens.length
          ? words._n("%1 token", "%1 tokens", keyTokens.length)
          : words.__("%1 queries × %2 keys", queryTokens.length, keyTokens.length);
      subtitle.textContent = [
        `${words._n("%1 layer", "%1 layers", payload.layers)} × ${words._n("%1 head", "%1 heads", payload.heads)}`,
        tokens,
        ...(payload.causal ? [words.__("causal")] : []),
      ].join(" · ");
      sample.value = String(state.sample);
      palette.value = state.palette;
      scale.value = state.scale;
      table.setAttribute("aria-pressed", String(state.table));
    },
  };
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 59).trimEnd()}…` : text);

function choice(
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

function exportMenu(words: Words, act: (action: FigureAction) => void): HTMLElement {
  const entries: readonly (readonly [FigureAction, string])[] = [
    ["copy-png", words.__("Copy as PNG")],
    ["copy-svg", words.__("Copy as SVG")],
    ["save-png", words.__("Save PNG…")],
    ["save-svg", words.__("Save SVG…")],
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
