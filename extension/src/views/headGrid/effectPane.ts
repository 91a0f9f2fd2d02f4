import { niceTop, visibleToken } from "attention-lab/figure";
import type { HeadEffect } from "attention-lab/views";
import { tableOf } from "../../a11y/dataTable.js";
import { ownKeys } from "../../a11y/shortcuts.js";
import { element, tokenElement } from "../../dom/element.js";
import { createPainter, levelsOf } from "../../draw/raster.js";
import { createSheet } from "../../draw/sheet.js";
import type { Words } from "../../words.js";
import { modeName } from "./ablationControls.js";
import type { Pane } from "./gridPane.js";
import type { HeadGridModel } from "./model.js";
import { headName, sameHead, type HeadGridState, type HeadGridStore } from "./state.js";

/** What taking heads out changed, beside the heads. */
export interface EffectPane extends Pane {
  readonly draw: () => void;
}

const toldHeads = 4;
const largestSquare = 16;
const mapWidth = 220;

export function createEffectPane(model: HeadGridModel, store: HeadGridStore, words: Words): EffectPane {
  const sheet = createSheet("jp-AttentionHeadEffect-canvas");
  const body = element("div", { class: "jp-AttentionHeadEffect-body" });
  const history = element("div", { class: "jp-AttentionHeadEffect-history" });
  const node = element(
    "div",
    { class: "jp-AttentionHeadEffect", role: "group", "aria-label": words.__("Effects of ablated heads") },
    body,
    history,
  );
  let drawn = "";

  const focusButton = (layer: number, head: number, label: string, title: string): HTMLElement => {
    const button = ownKeys(element("button", { class: "jp-AttentionChip", type: "button", title }, label));
    button.addEventListener("click", () => {
      const address = { layer, head };
      store.set({ current: address, focused: address, pinned: undefined, pointed: undefined });
    });
    return button;
  };

  const map = (effect: HeadEffect, state: HeadGridState): HTMLElement => {
    const { layers, heads } = model.payload;
    const ratio = window.devicePixelRatio || 1;
    const side = Math.max(1, Math.floor(Math.min(largestSquare, mapWidth / heads) * ratio));
    const [width, height] = [heads * side, layers * side];
    const largest = Math.max(...effect.moved);
    const top = largest > 0 ? niceTop(largest) : 1;
    const weights = Float32Array.from(effect.moved);
    const source = { weights, rows: layers, columns: heads, block: 1, causal: false, queries: layers, keys: heads };
    const levels = sheet.reset(width, height, ratio);
    createPainter({ width, height }, layers, heads)(levels, width, 0, 0, levelsOf(source, top, "linear"));
    sheet.show(state.palette);
    const mark = element("span", { class: "jp-AttentionHeadEffect-mark", title: headName(effect) });
    mark.style.cssText = `left:${(effect.head * side) / ratio}px;top:${(effect.layer * side) / ratio}px;width:${side / ratio}px;height:${side / ratio}px`;
    const strongest = Array.from(effect.moved.keys())
      .filter((at) => (effect.moved[at] ?? 0) > 0)
      .sort((one, other) => (effect.moved[other] ?? 0) - (effect.moved[one] ?? 0))
      .slice(0, toldHeads);
    return element(
      "figure",
      { class: "jp-AttentionHeadEffect-map" },
      element(
        "figcaption",
        { title: words.__("½ Σ |A′ − A| over the keys, mean over the queries; rows are layers, columns are heads") },
        words.__("attention that moved, 0 … %1", top),
      ),
      ...(strongest.length > 0 ? [element("div", { class: "jp-AttentionHeadEffect-stage" }, sheet.canvas, mark)] : []),
      element(
        "div",
        { class: "jp-AttentionHeadEffect-heads" },
        ...strongest.map((at) => {
          const address = { layer: Math.floor(at / heads), head: at % heads };
          const share = (effect.moved[at] ?? 0).toPrecision(3);
          const title = words.__("Show %1: %2 of its attention moved", headName(address), share);
          return focusButton(address.layer, address.head, `${headName(address)} ${share}`, title);
        }),
        ...(strongest.length === 0 ? [words.__("no later head attends differently")] : []),
      ),
    );
  };

  const numbers = ({ loss, prediction, outputChange }: HeadEffect): HTMLElement =>
    element(
      "dl",
      { class: "jp-AttentionHeadEffect-numbers" },
      ...[
        ...(loss
          ? [
              number(
                words.__("loss, nats"),
                `${loss[0].toFixed(4)} → ${loss[1].toFixed(4)}`,
                signed(loss[1] - loss[0]),
                words.__("mean −ln p of the prompt's next tokens"),
              ),
            ]
          : []),
        ...(prediction
          ? [
              number(
                words.__("prediction, KL"),
                words.__("%1 nats", prediction.divergenceNats.toPrecision(3)),
                "",
                words.__("how far the last prediction moved, KL(before ‖ after)"),
              ),
            ]
          : []),
        ...(outputChange === undefined
          ? []
          : [
              number(
                words.__("output changed by"),
                `${(100 * outputChange).toPrecision(3)} %`,
                "",
                words.__("‖after − before‖ / ‖before‖ at the real tokens"),
              ),
            ]),
      ],
    );

  const predictions = ({ prediction }: HeadEffect): readonly Node[] => {
    if (!prediction) return [];
    const rows = prediction.moved.map(({ token, logit, chance }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, tokenElement(visibleToken(token), "jp-AttentionTable-token")),
        element("td", {}, share(chance[0])),
        element("td", {}, share(chance[1])),
        element("td", {}, signed(logit[1] - logit[0])),
      ),
    );
    const caption = prediction.after
      ? words.__('next token after "%1"', visibleToken(prediction.after))
      : words.__("predictions");
    return [tableOf(caption, [words.__("token"), "p", "p′", words.__("Δ logit")], rows)];
  };

  return {
    node,
    draw(): void {
      const { effects, focused, sample, mode, palette } = store.state;
      const own = effects.filter((effect) => sameHead(effect, focused) && effect.sample === sample);
      const shown = own.find((effect) => effect.mode === mode) ?? own.at(-1);
      const key = JSON.stringify([effects.length, shown && effects.indexOf(shown), palette, sample, focused]);
      node.hidden = effects.length === 0;
      if (key === drawn) return;
      drawn = key;
      body.replaceChildren(
        ...(shown
          ? [
              element(
                "p",
                { class: "jp-AttentionHeadEffect-title" },
                words.__("Without %1: %2", headName(shown), modeName(shown.mode, words)),
              ),
              element(
                "div",
                { class: "jp-AttentionHeadEffect-parts" },
                numbers(shown),
                ...predictions(shown),
                map(shown, store.state),
              ),
            ]
          : []),
      );
      history.replaceChildren(
        element("span", { class: "jp-AttentionReading-note" }, words.__("Ablated so far:")),
        ...effects.map((effect) => {
          const name = `${headName(effect)} ${modeName(effect.mode, words)}`;
          const sampleName = model.payload.samples.length > 1 ? words.__(", sample %1", effect.sample + 1) : "";
          const chip = focusButton(effect.layer, effect.head, name + sampleName, words.__("Show this result"));
          chip.addEventListener("click", () => store.set({ mode: effect.mode, sample: effect.sample }));
          return chip;
        }),
      );
    },
    dispose: () => sheet.dispose(),
  };
}

function number(label: string, value: string, change: string, explanation: string): HTMLElement {
  return element(
    "div",
    { class: "jp-AttentionHeadEffect-number", title: explanation },
    element("dt", {}, label),
    element("dd", {}, value, ...(change ? [element("strong", {}, ` ${change}`)] : [])),
  );
}

const share = (chance: number): string => (chance >= 1e-3 ? chance.toFixed(4) : chance.toExponential(1));

/** A difference with its sign. */
function signed(difference: number): string {
  const size = Math.abs(difference);
  const digits = size === 0 ? "0" : size >= 1e-3 ? size.toFixed(4) : size.toExponential(1);
  return `${difference < 0 ? "−" : "+"}${digits}`;
}
