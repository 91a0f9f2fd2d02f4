import { visibleToken } from "attention-lab/figure";
import type { FigureAction } from "../../actions.js";
import { choice } from "../../dom/choice.js";
import { element } from "../../dom/element.js";
import { exportMenu } from "../../export/exportMenu.js";
import { tableButton } from "../../export/tableButton.js";
import type { LiveStatus } from "../../link/liveRun.js";
import type { Words } from "../../words.js";
import { statusText } from "./ablationControls.js";
import type { HeadGridModel } from "./model.js";
import type { HeadGridState, HeadGridStore } from "./state.js";
import { paletteChoice, scaleChoice } from "../look.js";

/** Title, sample, palette, scale, and a menu. */
export interface Toolbar {
  readonly node: HTMLElement;
  readonly show: (state: HeadGridState) => void;
  /** Says whether the kernel can be asked. */
  readonly connection: (status: LiveStatus) => void;
}

export function createToolbar(
  model: HeadGridModel,
  store: HeadGridStore,
  words: Words,
  act: (action: FigureAction) => void,
): Toolbar {
  const { payload } = model;
  const subtitle = element("span", { class: "jp-AttentionHeadGrid-subtitle" });
  const palette = paletteChoice(words, (value) => store.set({ palette: value }));
  const scale = scaleChoice(words, (value) => store.set({ scale: value }));
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
  const table = tableButton(words, act);
  const light = element("span", { class: "jp-AttentionHeadGrid-light", role: "img" });
  const node = element(
    "div",
    { class: "jp-AttentionHeadGrid-toolbar" },
    element(
      "div",
      { class: "jp-AttentionHeadGrid-titles" },
      element("span", { class: "jp-AttentionHeadGrid-title" }, payload.title),
      subtitle,
      light,
    ),
    element("div", { class: "jp-AttentionHeadGrid-tools" }, sample, palette, scale, table, exportMenu(words, act)),
  );
  return {
    node,
    connection(status): void {
      light.dataset["state"] = status.state;
      light.title = statusText(status, words);
      light.setAttribute("aria-label", light.title);
    },
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
