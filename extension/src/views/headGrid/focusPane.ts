import { gridMove } from "../../a11y/gridKeys.js";
import type { Live } from "../../a11y/live.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element, icon } from "../../dom/element.js";
import { createCross, placeCross, type MatrixBox } from "../../draw/cross.js";
import { levelsOf, paintLevels } from "../../draw/raster.js";
import { createSheet } from "../../draw/sheet.js";
import type { Words } from "../../words.js";
import { tallest } from "./focusSize.js";
import type { Pane } from "./gridPane.js";
import type { HeadGridModel, Square } from "./model.js";
import { readingText } from "./reading.js";
import { scalarList } from "./scalarList.js";
import { headName, sameHead, type HeadGridState, type HeadGridStore } from "./state.js";
import { createTokenStrip, stripWidth } from "./tokenStrip.js";

/** One head at full size with its tokens on both axes. */
export interface FocusPane extends Pane {
  /** The numbers of the head, apart from the matrix so that they can stand under the map. */
  readonly scalars: HTMLElement;
  /** Draws into `width` CSS pixels. */
  readonly draw: (width: number) => void;
}

const largestSquare = 34;

export function createFocusPane(
  model: HeadGridModel,
  store: HeadGridStore,
  words: Words,
  live: Live,
  controls: HTMLElement,
): FocusPane {
  const back = ownKeys(
    element(
      "button",
      { class: "jp-AttentionButton", type: "button", title: words.__("Back to all heads (Esc)") },
      icon("M10 3 5 8l5 5"),
      element("span", {}, words.__("All heads")),
    ),
  );
  const name = element("span", { class: "jp-AttentionFocus-name" });
  const scalars = element("dl", { class: "jp-AttentionFocus-scalars" });
  const sheet = createSheet("jp-AttentionFocus-canvas");
  const cross = createCross("jp-AttentionFocus");
  const pin = createCross("jp-AttentionFocus");
  pin.node.classList.add("jp-mod-pinned");
  const matrix = ownKeys(
    element(
      "div",
      { class: "jp-AttentionFocus-matrix", tabindex: 0, role: "application" },
      sheet.canvas,
      cross.node,
      pin.node,
    ),
  );
  const queries = createTokenStrip("queries", words.__("Queries"));
  const keys = createTokenStrip("keys", words.__("Keys"));
  const corner = element(
    "div",
    { class: "jp-AttentionFocus-corner", "aria-hidden": "true" },
    element("span", {}, words.__("key →")),
    element("span", {}, words.__("query ↓")),
  );
  const node = element(
    "section",
    { class: "jp-AttentionFocus" },
    element("div", { class: "jp-AttentionFocus-header" }, back, name, controls),
    element("div", { class: "jp-AttentionFocus-plot" }, corner, keys.node, queries.node, matrix),
  );

  let box: MatrixBox | undefined;
  let drawn = "";
  let coloured = "";
  let shown = "";

  back.addEventListener("click", () => store.set({ focused: undefined, pinned: undefined, pointed: undefined }));

  const squareAt = (event: MouseEvent): Square | undefined => {
    if (!box) return undefined;
    const { left, top } = sheet.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / box.width) * box.columns);
    const row = Math.floor(((event.clientY - top) / box.height) * box.rows);
    return row >= 0 && row < box.rows && column >= 0 && column < box.columns ? { row, column } : undefined;
  };
  const point = (square: Square | undefined): void => {
    const { focused, pointed } = store.state;
    if (!focused || !square) return store.set({ pointed: undefined });
    const same =
      sameHead(pointed?.address, focused) &&
      pointed?.square.row === square.row &&
      pointed.square.column === square.column;
    if (!same) store.set({ pointed: { address: focused, square, isFine: true } });
  };
  const togglePin = (square: Square | undefined): void => {
    const { pinned, focused, sample } = store.state;
    if (!square || !focused) return;
    const same = pinned?.row === square.row && pinned.column === square.column;
    store.set({ pinned: same ? undefined : square });
    live.say(
      same
        ? words.__("Unpinned")
        : words.__("Pinned: %1", readingText(model.readFine(sample, focused, square), focused, words)),
    );
  };
  matrix.addEventListener("pointermove", (event) => point(squareAt(event)));
  matrix.addEventListener("pointerleave", () => point(undefined));
  matrix.addEventListener("click", (event) => togglePin(squareAt(event)));
  matrix.addEventListener("keydown", (event) => {
    const { pointed, pinned, focused, sample } = store.state;
    if (!box || !focused) return;
    const from = pointed?.square ?? pinned ?? { row: 0, column: 0 };
    if (event.key === "Enter" || event.key === " ") {
      handled(event);
      return togglePin(from);
    }
    const next = pointed ? gridMove(event, from, box.rows, box.columns) : gridMove(event, from, 1, 1) && from;
    if (!next) return;
    handled(event);
    point(next);
    live.say(readingText(model.readFine(sample, focused, next), focused, words));
  });

  const showMarks = (state: HeadGridState): void => {
    const isHere = state.pointed?.isFine && sameHead(state.pointed.address, state.focused);
    const here = isHere ? state.pointed?.square : undefined;
    const marked = here ?? state.pinned;
    queries.mark(marked?.row);
    keys.mark(marked?.column);
    if (here && box) placeCross(cross, here, box);
    else cross.hide();
    if (state.pinned && box) placeCross(pin, state.pinned, box);
    else pin.hide();
  };

  const stop = store.listen((state, before) => {
    if (state.pointed !== before.pointed || state.pinned !== before.pinned || state.focused !== before.focused) {
      showMarks(state);
    }
  });

  return {
    node,
    scalars,
    draw(width): void {
      const state = store.state;
      const address = state.focused;
      node.hidden = !address;
      scalars.hidden = !address;
      if (!address) return;
      const sample = model.sample(state.sample);
      const { source } = model.fine(state.sample, address);
      const ratio = window.devicePixelRatio || 1;
      const left = stripWidth(sample.queryTokens, source.block);
      const room = Math.max(40, Math.min(width - left - 2, tallest) * ratio);
      const longest = Math.max(source.rows, source.columns);
      const scale = Math.min(room / longest, largestSquare * ratio);
      const square = scale >= 1 ? Math.floor(scale) : scale;
      const pixelWidth = Math.max(1, Math.round(source.columns * square));
      const pixelHeight = Math.max(1, Math.round(source.rows * square));
      const naming = `${state.sample} ${headName(address)}`;
      if (naming !== shown) {
        shown = naming;
        name.textContent = headName(address);
        scalars.replaceChildren(...scalarList(model, state.sample, address, words));
        matrix.setAttribute(
          "aria-label",
          words.__(
            "Attention pattern of %1: rows are queries, columns are keys; arrow keys move, Enter pins",
            headName(address),
          ),
        );
      }
      const key = `${naming} ${state.scale} ${pixelWidth} ${pixelHeight} ${source.block} ${state.arrived}`;
      if (key !== drawn) {
        drawn = key;
        matrix.dataset["block"] = String(source.block);
        const levels = sheet.reset(pixelWidth, pixelHeight, ratio);
        paintLevels(
          levels,
          pixelWidth,
          { x: 0, y: 0, width: pixelWidth, height: pixelHeight },
          levelsOf(source, model.top, state.scale),
          source.rows,
          source.columns,
        );
        box = {
          left: 0,
          top: 0,
          width: pixelWidth / ratio,
          height: pixelHeight / ratio,
          rows: source.rows,
          columns: source.columns,
        };
        const overhang = (count: number, stored: number): number => count / (stored * source.block);
        queries.lay(sample.queryTokens, box.height * overhang(source.queries, source.rows), source.block);
        keys.lay(sample.keyTokens, box.width * overhang(source.keys, source.columns), source.block);
      }
      const colours = `${key} ${state.palette}`;
      if (colours !== coloured) sheet.show(state.palette);
      coloured = colours;
      showMarks(state);
    },
    dispose(): void {
      stop();
      sheet.dispose();
    },
  };
}
