import { gridMove } from "../../a11y/gridKeys.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element } from "../../dom/element.js";
import { placeCross, createCross } from "../../draw/cross.js";
import { gridLayout, headAt, type GridLayout } from "../../draw/gridLayout.js";
import { createPainter, storedLevels } from "../../draw/raster.js";
import { createSheet } from "../../draw/sheet.js";
import { preferences } from "../../preferences.js";
import type { Words } from "../../words.js";
import type { HeadAddress, HeadGridModel } from "./model.js";
import { headName, sameHead, type HeadGridState, type HeadGridStore } from "./state.js";

/** A part of the figure that draws itself into a given width. */
export interface Pane {
  readonly node: HTMLElement;
  readonly dispose: () => void;
}

/** All heads: rows are layers, columns are heads; a canvas with a grid of real buttons over it. */
export interface GridPane extends Pane {
  /** Draws into `width` CSS pixels, labels included; as a small map beside a focused head, heads stay small. */
  readonly draw: (width: number, asMap: boolean) => void;
  /** Moves the keyboard to a head. */
  readonly focusHead: (address: HeadAddress) => void;
}

const rowLabelWidth = 30;
const mapSizes = { largest: 26, widestGap: 4 };

export function createGridPane(
  model: HeadGridModel,
  store: HeadGridStore,
  words: Words,
  ablate: (address: HeadAddress) => void,
): GridPane {
  const { size } = preferences();
  const { layers, heads } = model.payload;
  const sheet = createSheet("jp-AttentionGrid-canvas");
  const columnLabels = Array.from({ length: heads }, (_, head) =>
    element("div", { class: "jp-AttentionGrid-label", "aria-hidden": "true" }, `H${head}`),
  );
  const rowLabels = Array.from({ length: layers }, (_, layer) =>
    element("div", { class: "jp-AttentionGrid-label", "aria-hidden": "true" }, `L${layer}`),
  );
  const buttons = Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: heads }, (_, head) => cellButton({ layer, head }, words)),
  );
  const cross = createCross("jp-AttentionGrid");
  const cells = element(
    "div",
    {
      class: "jp-AttentionGrid-cells",
      role: "grid",
      "aria-label": words.__("Attention heads: rows are layers, columns are heads"),
      "aria-rowcount": layers,
      "aria-colcount": heads,
    },
    ...buttons.map((row, layer) =>
      element("div", { class: "jp-AttentionGrid-row", role: "row", "aria-rowindex": layer + 1 }, ...row),
    ),
  );
  const stage = element("div", { class: "jp-AttentionGrid-stage" }, sheet.canvas, cells, cross.node);
  const columnHeader = element("div", { class: "jp-AttentionGrid-columns" }, ...columnLabels);
  const rowHeader = element("div", { class: "jp-AttentionGrid-rows" }, ...rowLabels);
  const node = element("div", { class: "jp-AttentionGrid" }, columnHeader, rowHeader, stage);

  let layout: GridLayout | undefined;
  let drawn: { readonly key: string; readonly palette: string } | undefined;

  const buttonOf = ({ layer, head }: HeadAddress): HTMLButtonElement | undefined => buttons[layer]?.[head];

  const addressOf = (target: EventTarget | null): HeadAddress | undefined => {
    const button = target instanceof HTMLElement ? target.closest<HTMLElement>("[data-layer]") : null;
    return button ? { layer: Number(button.dataset["layer"]), head: Number(button.dataset["head"]) } : undefined;
  };

  const toggleMark = (address: HeadAddress): void => {
    const others = store.state.marked.filter((each) => !sameHead(each, address));
    store.set({ marked: others.length < store.state.marked.length ? others : [...others, address] });
  };

  cells.addEventListener("click", (event) => {
    const address = addressOf(event.target);
    if (!address) return;
    if (event.altKey) return ablate(address);
    if (event.ctrlKey || event.metaKey) return toggleMark(address);
    const { focused, choosing } = store.state;
    if (focused && (event.shiftKey || choosing) && !sameHead(focused, address)) {
      return store.set({ current: address, other: address, choosing: false });
    }
    store.set({ current: address, focused: address, pinned: undefined, pointed: undefined });
  });
  cells.addEventListener("focusin", (event) => {
    const address = addressOf(event.target);
    if (address) store.set({ current: address });
  });
  cells.addEventListener("keydown", (event) => {
    const address = addressOf(event.target);
    if (!address) return;
    if (event.key.toLowerCase() === "a" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      handled(event);
      return ablate(address);
    }
    if (event.key.toLowerCase() === "m" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      handled(event);
      return toggleMark(address);
    }
    const place = gridMove(event, { row: address.layer, column: address.head }, layers, heads);
    if (!place) return;
    handled(event);
    const next = { layer: place.row, head: place.column };
    store.set(store.state.focused ? { current: next, focused: next, pinned: undefined } : { current: next });
    buttonOf(next)?.focus({ preventScroll: false });
  });
  stage.addEventListener("pointermove", (event) => {
    if (!layout) return;
    const box = stage.getBoundingClientRect();
    const found = headAt(layout, layers, heads, event.clientX - box.left, event.clientY - box.top);
    if (!found) return store.set({ pointed: undefined });
    const { rows, columns } = model.reader(store.state.sample);
    const square = { row: Math.floor(found.down * rows), column: Math.floor(found.across * columns) };
    const before = store.state.pointed;
    const address = { layer: found.layer, head: found.head };
    if (
      sameHead(before?.address, address) &&
      before?.square.row === square.row &&
      before.square.column === square.column
    ) {
      return;
    }
    store.set({ pointed: { address, square } });
  });
  stage.addEventListener("pointerleave", () => store.set({ pointed: undefined }));

  const place = (): void => {
    if (!layout) return;
    const { ratio, cellWidth, cellHeight, pitchX, pitchY } = layout;
    const style = node.style;
    style.setProperty("--jp-attention-cell-width", `${cellWidth / ratio}px`);
    style.setProperty("--jp-attention-cell-height", `${cellHeight / ratio}px`);
    style.setProperty("--jp-attention-gap-x", `${(pitchX - cellWidth) / ratio}px`);
    style.setProperty("--jp-attention-gap-y", `${(pitchY - cellHeight) / ratio}px`);
    style.setProperty("--jp-attention-heads", String(heads));
    thinLabels(columnLabels, pitchX / ratio, heads > 10 ? 25 : 19);
    thinLabels(rowLabels, pitchY / ratio, 12);
  };

  const paint = (state: HeadGridState): void => {
    if (!layout) return;
    const { width, height, ratio, cellWidth, cellHeight, pitchX, pitchY } = layout;
    const sheetLevels = sheet.reset(width, height, ratio);
    const { rows, columns, codes } = model.reader(state.sample);
    const levelsOfHead = storedLevels(model.shape(state.sample), model.top, state.scale);
    const paintHead = createPainter({ width: cellWidth, height: cellHeight }, rows, columns);
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        paintHead(sheetLevels, width, head * pitchX, layer * pitchY, levelsOfHead(codes(layer, head)));
      }
    }
  };

  const markAblated = ({ effects, sample }: HeadGridState): void => {
    for (const button of cells.querySelectorAll(".jp-mod-ablated")) button.classList.remove("jp-mod-ablated");
    for (const effect of effects) if (effect.sample === sample) buttonOf(effect)?.classList.add("jp-mod-ablated");
  };

  const showState = (state: HeadGridState, before?: HeadGridState): void => {
    if (before && !sameHead(before.current, state.current)) buttonOf(before.current)?.setAttribute("tabindex", "-1");
    buttonOf(state.current)?.setAttribute("tabindex", "0");
    if (before?.focused && !sameHead(before.focused, state.focused)) {
      buttonOf(before.focused)?.setAttribute("aria-selected", "false");
    }
    if (state.focused) buttonOf(state.focused)?.setAttribute("aria-selected", "true");
    if (before?.effects !== state.effects || before.sample !== state.sample) markAblated(state);
    if (before?.selected !== state.selected) {
      if (before?.selected) buttonOf(before.selected)?.classList.remove("jp-mod-chosen");
      if (state.selected) buttonOf(state.selected)?.classList.add("jp-mod-chosen");
    }
    if (before?.marked !== state.marked) {
      const marks = new Set(state.marked.map(headName));
      for (const [layer, row] of buttons.entries()) {
        for (const [head, button] of row.entries()) {
          const isMarked = marks.has(headName({ layer, head }));
          button.classList.toggle("jp-mod-marked", isMarked);
          if (isMarked) button.setAttribute("aria-description", words.__("marked"));
          else button.removeAttribute("aria-description");
        }
      }
    }
    if (before?.sample !== state.sample) {
      const { scalars } = model.sample(state.sample);
      buttons.forEach((row, layer) =>
        row.forEach((button, head) => {
          const at = layer * heads + head;
          button.setAttribute(
            "aria-label",
            words.__(
              "Layer %1, head %2: entropy %3 nats, first token %4, special tokens %5",
              layer,
              head,
              (scalars.entropyNats[at] ?? 0).toFixed(2),
              (scalars.firstTokenMass[at] ?? 0).toFixed(2),
              (scalars.specialTokenMass[at] ?? 0).toFixed(2),
            ),
          );
        }),
      );
    }
    if (before && before.pointed === state.pointed && sameHead(before.focused, state.focused)) return;
    markLabel(columnLabels, before?.pointed?.address.head, state.pointed?.address.head);
    markLabel(rowLabels, before?.pointed?.address.layer, state.pointed?.address.layer);
    const pointed = state.pointed;
    const inGrid = pointed && layout && !(state.focused && stage.matches(":not(:hover)"));
    if (!pointed || !layout || !inGrid) return cross.hide();
    const { rows, columns } = model.reader(state.sample);
    placeCross(cross, pointed.square, {
      left: (pointed.address.head * layout.pitchX) / layout.ratio,
      top: (pointed.address.layer * layout.pitchY) / layout.ratio,
      width: layout.cellWidth / layout.ratio,
      height: layout.cellHeight / layout.ratio,
      rows,
      columns,
    });
  };
  showState(store.state);
  const stop = store.listen(showState);

  return {
    node,
    draw(width, asMap): void {
      const state = store.state;
      const { rows, columns } = model.reader(state.sample);
      const ratio = window.devicePixelRatio || 1;
      const options = { width: width - rowLabelWidth, ratio, layers, heads, rows, columns, largest: size };
      const next = gridLayout(asMap ? { ...options, ...mapSizes } : options);
      const key = `${JSON.stringify(next)} ${state.sample} ${state.scale}`;
      if (drawn?.key !== key) {
        layout = next;
        place();
        paint(state);
      }
      if (drawn?.key !== key || drawn.palette !== state.palette) sheet.show(state.palette);
      drawn = { key, palette: state.palette };
    },
    focusHead: (address) => buttonOf(address)?.focus(),
    dispose(): void {
      stop();
      sheet.dispose();
    },
  };
}

function cellButton(address: HeadAddress, words: Words): HTMLButtonElement {
  return ownKeys(
    element(
      "button",
      {
        class: "jp-AttentionGrid-cell",
        type: "button",
        role: "gridcell",
        tabindex: -1,
        "aria-colindex": address.head + 1,
        "aria-selected": "false",
        "aria-label": words.__("Layer %1, head %2", address.layer, address.head),
        "data-layer": address.layer,
        "data-head": address.head,
      },
      element("span", { class: "jp-AttentionGrid-badge", "aria-hidden": "true" }, headName(address)),
    ),
  );
}

/** Shows every label, or only every 2nd, 5th, 10th, … where they would touch. */
function thinLabels(labels: readonly HTMLElement[], pitch: number, room: number): void {
  const step = [1, 2, 5, 10, 20, 50, 100].find((candidate) => candidate * pitch >= room) ?? 100;
  labels.forEach((label, index) => label.classList.toggle("jp-mod-hidden", index % step !== 0));
}

function markLabel(labels: readonly HTMLElement[], before: number | undefined, now: number | undefined): void {
  if (before === now) return;
  if (before !== undefined) labels[before]?.classList.remove("jp-mod-active");
  if (now !== undefined) labels[now]?.classList.add("jp-mod-active");
}
