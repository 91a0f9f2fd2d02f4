import { gridMove } from "../../a11y/gridKeys.js";
import type { Live } from "../../a11y/live.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element, icon } from "../../dom/element.js";
import { createCross, placeCross, type MatrixBox } from "../../draw/cross.js";
import { createPainter, croppedLevels, levelsOf, type RasterSource } from "../../draw/raster.js";
import { createSheet } from "../../draw/sheet.js";
import { createAttentionPane } from "../../text/attentionPane.js";
import type { LineSource } from "../../text/lineSource.js";
import type { Words } from "../../words.js";
import { tallest } from "./focusSize.js";
import type { Pane } from "./gridPane.js";
import { createLockPane } from "./lockPane.js";
import type { HeadAddress, HeadGridModel, Square } from "./model.js";
import { readingText } from "./reading.js";
import { scalarList } from "./scalarList.js";
import { headName, sameHead, type HeadGridState, type HeadGridStore } from "./state.js";
import { createTokenStrip, stripWidth } from "./tokenStrip.js";
import { isWhole, showing, wholeView, type Viewport } from "./viewport.js";
import { zoomControls } from "./zoomControls.js";

/** One head at full size with its tokens on both axes. */
export interface FocusPane extends Pane {
  /** The numbers of the head, apart from the matrix so that they can stand under the map. */
  readonly scalars: HTMLElement;
  /** Draws into `width` CSS pixels. */
  readonly draw: (width: number) => void;
  /** What is to be read where the head is shown as a text. */
  readonly reading: () => readonly (Node | string)[] | undefined;
}

export interface FocusPaneParts {
  readonly model: HeadGridModel;
  readonly store: HeadGridStore;
  readonly words: Words;
  readonly live: Live;
  /** What stands beside the head's name. */
  readonly controls: HTMLElement;
  /** The rows and columns of a head. */
  readonly linesOf: (sample: number, address: HeadAddress) => LineSource;
  /** Draws again. */
  readonly request: () => void;
}

const largestSquare = 34;

export function createFocusPane(parts: FocusPaneParts): FocusPane {
  const { model, store, words, live, controls, linesOf, request } = parts;
  const button = (text: string, title: string): HTMLButtonElement =>
    ownKeys(element("button", { class: "jp-AttentionButton", type: "button", title }, text));
  const back = button("", words.__("Back to all heads (Esc)"));
  back.append(icon("M10 3 5 8l5 5"), element("span", {}, words.__("All heads")));
  const asText = button(words.__("As text"), words.__("Shade the words of the text instead of a matrix"));
  const compare = button(words.__("Compare"), words.__("Compare with another head: choose it in the map, or Shift-click it")); // prettier-ignore
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
  const lock = (along: "query" | "key", at: number): void => {
    const { locked } = store.state;
    store.set({ locked: locked?.along === along && locked.at === at ? undefined : { along, at } });
  };
  const queries = createTokenStrip("queries", words.__("Queries"), (at) => lock("query", at));
  const keys = createTokenStrip("keys", words.__("Keys"), (at) => lock("key", at));
  const corner = element(
    "div",
    { class: "jp-AttentionFocus-corner", "aria-hidden": "true" },
    element("span", {}, words.__("key →")),
    element("span", {}, words.__("query ↓")),
  );
  const plot = element("div", { class: "jp-AttentionFocus-plot" }, corner, keys.node, queries.node, matrix);
  const text = createAttentionPane(words, (said) => live.say(said), request);
  const textTools = element("div", { class: "jp-AttentionFocus-tools" }, ...text.tools);
  const locked = createLockPane(store, words);
  const viewNow = (): { readonly view: Viewport; readonly all: Viewport } => {
    const { queryTokens, keyTokens } = model.sample(store.state.sample);
    const all = wholeView(queryTokens.length, keyTokens.length);
    return { view: store.state.view ?? all, all };
  };
  const show = (view: Viewport): void => {
    const { all } = viewNow();
    store.set({ view: isWhole(view, all) ? undefined : view, pointed: undefined });
  };
  const zoom = zoomControls(matrix, { now: viewNow, show }, words);
  const node = element(
    "section",
    { class: "jp-AttentionFocus" },
    element("div", { class: "jp-AttentionFocus-header" }, back, name, asText, compare, zoom.node, textTools, controls),
    plot,
    text.node,
    locked.node,
  );

  /** What is on the canvas: its box, and the first row and column of the source that it shows. */
  let box: MatrixBox | undefined;
  let first: Square = { row: 0, column: 0 };
  let drawn = "";
  let painted: RasterSource | undefined;
  let coloured = "";
  let shown = "";

  back.addEventListener(
    "click",
    () =>
    store.set({ focused: undefined, pinned: undefined, pointed: undefined, other: undefined, view: undefined, locked: undefined }), // prettier-ignore
  );
  asText.addEventListener("click", () => store.set({ asText: !store.state.asText, pointed: undefined }));
  compare.addEventListener("click", () => store.set({ choosing: !store.state.choosing }));

  const squareAt = (event: MouseEvent): Square | undefined => {
    if (!box) return undefined;
    const { left, top } = sheet.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / box.width) * box.columns);
    const row = Math.floor(((event.clientY - top) / box.height) * box.rows);
    const isInside = row >= 0 && row < box.rows && column >= 0 && column < box.columns;
    return isInside ? { row: row + first.row, column: column + first.column } : undefined;
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
  matrix.addEventListener("pointermove", (event) => {
    if (!zoom.isDragging()) point(squareAt(event));
  });
  matrix.addEventListener("pointerleave", () => point(undefined));
  matrix.addEventListener("click", (event) => {
    if (!zoom.wasDragged()) togglePin(squareAt(event));
  });
  matrix.addEventListener("keydown", (event) => {
    const { pointed, pinned, focused, sample } = store.state;
    if (!box || !focused) return;
    const from = pointed?.square ?? pinned ?? first;
    const { source } = model.fine(sample, focused);
    if (event.key === "Enter" || event.key === " ") {
      handled(event);
      return togglePin(from);
    }
    if (event.key.toLowerCase() === "l" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      handled(event);
      return event.shiftKey ? lock("key", from.column * source.block) : lock("query", from.row * source.block);
    }
    const next = pointed ? gridMove(event, from, source.rows, source.columns) : gridMove(event, from, 1, 1) && from;
    if (!next) return;
    handled(event);
    const { view, all } = viewNow();
    const moved = showing(view, all, next.row * source.block, next.column * source.block);
    if (moved.query !== view.query || moved.key !== view.key) show(moved);
    point(next);
    live.say(readingText(model.readFine(sample, focused, next), focused, words));
  });

  /** A square of the source on the canvas; undefined where it is outside. */
  const onCanvas = (square: Square | undefined): Square | undefined => {
    if (!square || !box) return undefined;
    const here = { row: square.row - first.row, column: square.column - first.column };
    return here.row >= 0 && here.row < box.rows && here.column >= 0 && here.column < box.columns ? here : undefined;
  };
  const showMarks = (state: HeadGridState): void => {
    const isHere = state.pointed?.isFine && sameHead(state.pointed.address, state.focused);
    const here = onCanvas(isHere ? state.pointed?.square : undefined);
    const pinned = onCanvas(state.pinned);
    const marked = here ?? pinned;
    queries.mark(marked?.row);
    keys.mark(marked?.column);
    if (here && box) placeCross(cross, here, box);
    else cross.hide();
    if (pinned && box) placeCross(pin, pinned, box);
    else pin.hide();
  };

  const stop = store.listen((state, before) => {
    if (state.pointed !== before.pointed || state.pinned !== before.pinned || state.focused !== before.focused) {
      showMarks(state);
    }
    // Another sample has other tokens.
    if (state.sample !== before.sample) store.set({ view: undefined, locked: undefined });
  });

  const drawText = (state: HeadGridState, source: LineSource): void => {
    const { keyTokens } = model.sample(state.sample);
    const none = { values: keyTokens.map(() => null), kind: "sequential", measure: "" } as const;
    text.draw({ tokens: keyTokens, resting: none, source, scale: state.scale });
  };

  const drawMatrix = (state: HeadGridState, address: HeadAddress, width: number): void => {
    const sample = model.sample(state.sample);
    const { source } = model.fine(state.sample, address);
    const { view, all } = viewNow();
    zoom.show(isWhole(view, all));
    const { block } = source;
    const ratio = window.devicePixelRatio || 1;
    const left = stripWidth(sample.queryTokens, block);
    const room = Math.max(40, Math.min(width - left - 2, tallest) * ratio);
    const part = {
      row: Math.floor(view.query / block),
      column: Math.floor(view.key / block),
      rows: Math.ceil((view.query + view.queries) / block) - Math.floor(view.query / block),
      columns: Math.ceil((view.key + view.keys) / block) - Math.floor(view.key / block),
    };
    const scale = Math.min(room / Math.max(part.rows, part.columns), largestSquare * ratio);
    const square = scale >= 1 ? Math.floor(scale) : scale;
    const pixelWidth = Math.max(1, Math.round(part.columns * square));
    const pixelHeight = Math.max(1, Math.round(part.rows * square));
    const naming = `${state.sample} ${headName(address)}`;
    const key = [naming, state.scale, pixelWidth, pixelHeight, block, ...Object.values(part)].join(" ");
    // Exact weights arrive with every move of the pointer; only another source needs to be painted.
    if (key !== drawn || source !== painted) {
      drawn = key;
      painted = source;
      coloured = "";
      matrix.dataset["block"] = String(block);
      const levels = sheet.reset(pixelWidth, pixelHeight, ratio);
      const own = croppedLevels(levelsOf(source, model.top, state.scale), source.columns, part);
      const paint = createPainter({ width: pixelWidth, height: pixelHeight }, part.rows, part.columns);
      paint(levels, pixelWidth, 0, 0, own);
      const { rows, columns } = part;
      box = { left: 0, top: 0, width: pixelWidth / ratio, height: pixelHeight / ratio, rows, columns };
      first = { row: part.row, column: part.column };
      const shownOf = (tokens: readonly string[], at: number, count: number): readonly string[] =>
        count * block >= tokens.length ? tokens : tokens.slice(at * block, (at + count) * block);
      const [down, across] = [
        shownOf(sample.queryTokens, part.row, rows),
        shownOf(sample.keyTokens, part.column, columns),
      ];
      queries.lay(down, (box.height * down.length) / (rows * block), block, part.row * block);
      keys.lay(across, (box.width * across.length) / (columns * block), block, part.column * block);
    }
    const colours = `${key} ${state.palette}`;
    if (colours !== coloured) sheet.show(state.palette);
    coloured = colours;
    showMarks(state);
  };

  return {
    node,
    scalars,
    reading: () => (store.state.focused && store.state.asText ? text.reading() : undefined),
    draw(width): void {
      const state = store.state;
      const address = state.focused;
      node.hidden = !address;
      scalars.hidden = !address;
      if (!address) return;
      const naming = `${state.sample} ${headName(address)}`;
      if (naming !== shown) {
        shown = naming;
        name.textContent = headName(address);
        scalars.replaceChildren(...scalarList(model, state.sample, address, words));
        matrix.setAttribute(
          "aria-label",
          words.__(
            "Attention pattern of %1: rows are queries, columns are keys; arrow keys move, Enter pins, plus and minus zoom, L lists a row",
            headName(address),
          ),
        );
      }
      asText.setAttribute("aria-pressed", String(state.asText));
      compare.setAttribute("aria-pressed", String(state.choosing));
      plot.hidden = zoom.node.hidden = state.asText;
      text.node.hidden = textTools.hidden = !state.asText;
      const lines = state.asText || state.locked ? linesOf(state.sample, address) : undefined;
      if (state.asText && lines) drawText(state, lines);
      else drawMatrix(state, address, width);
      locked.draw(state.asText ? undefined : lines);
    },
    dispose(): void {
      stop();
      zoom.dispose();
      sheet.dispose();
    },
  };
}
