import { figureClass, onAction, onRequest, type FigureAction } from "../../actions.js";
import { createLive } from "../../a11y/live.js";
import { handled, passAccelerators } from "../../a11y/shortcuts.js";
import { createFrame } from "../../dom/frame.js";
import { element } from "../../dom/element.js";
import { createStore } from "../../dom/store.js";
import { createTooltip } from "../../dom/tooltip.js";
import { exportFigure } from "../../export/exportFigure.js";
import {
  headEffectCaps,
  headEffectText,
  headGridMime,
  isSameAblation,
  type HeadAblation,
  type HeadEffect,
  type HeadGridPayload,
} from "attention-lab/views";
import {} from "attention-lab/figure";
import { preferences } from "../../preferences.js";
import type { View, ViewContext } from "../view.js";
import { createAblationControls, statusText } from "./ablationControls.js";
import { createColourLegend } from "./colourLegend.js";
import { createEffectPane } from "./effectPane.js";
import type { LiveRun } from "../../link/liveRun.js";
import { createFocusPane } from "./focusPane.js";
import { createGridPane } from "./gridPane.js";
import { createHeadLines } from "./headLines.js";
import { createLiveHead } from "./liveHead.js";
import { headGridModel, type HeadAddress } from "./model.js";
import { createPairPane } from "./pairPane.js";
import { readingNodes } from "./reading.js";
import { isSameGrid } from "./sameGrid.js";
import { shareSelection } from "./shareSelection.js";
import { headName, type HeadGridState } from "./state.js";
import { tableView } from "./tableView.js";
import { createToolbar } from "./toolbar.js";
import { nextPalette, otherScale } from "../look.js";

const sideBySide = 620;
const narrow = 860;
const narrowestMap = 200;
const gap = 24;

/** The interactive head grid: all heads at a glance, one of them at full size, read-outs by pointer and keyboard. */
export function headGridView(payload: HeadGridPayload, context: ViewContext): View {
  const { words } = context;
  const model = headGridModel(payload);
  const store = createStore<HeadGridState>({
    ...preferences(),
    sample: 0,
    current: { layer: 0, head: 0 },
    focused: undefined,
    pointed: undefined,
    pinned: undefined,
    other: undefined,
    choosing: false,
    view: undefined,
    locked: undefined,
    asText: false,
    selected: undefined,
    marked: [],
    table: false,
    mode: "zero",
    effects: payload.effects ?? [],
    ablating: undefined,
    failure: undefined,
    arrived: 0,
  });
  const live = createLive();
  const tooltip = createTooltip();
  const controls = createAblationControls(
    store,
    words,
    () => ablate(store.state.focused),
    () => kernel.cancel(),
  );
  const grid = createGridPane(model, store, words, ablate);
  const run = payload.live && context.live?.(payload.live.run);
  /** The kernel's side of the run, where it may be asked now. */
  const asked = (): LiveRun | undefined => (kernel.status().state === "live" ? run : undefined);
  const linesOf = createHeadLines(model, words, asked, () => frame.request());
  const focus = createFocusPane({ model, store, words, live, controls: controls.node, linesOf, request: () => frame.request() }); // prettier-ignore
  const pair = createPairPane(model, store, words, asked);
  const effects = createEffectPane(model, store, words);
  const legend = createColourLegend(model, words);
  const reading = element("div", { class: "jp-AttentionReading" });
  const tableSlot = element("div", { class: "jp-AttentionHeadGrid-table" });
  const toolbar = createToolbar(model, store, words, act);
  const panes = element("div", { class: "jp-AttentionHeadGrid-panes" }, grid.node, focus.scalars, focus.node);
  const node = element(
    "div",
    { class: `${figureClass} jp-AttentionHeadGrid`, role: "group", "aria-label": payload.title },
    toolbar.node,
    panes,
    pair.node,
    effects.node,
    element("div", { class: "jp-AttentionHeadGrid-footer" }, reading, legend.node),
    tableSlot,
    live.node,
  );

  let pointer = { x: 0, y: 0, inside: false };
  let shownTable = "";

  const draw = (): void => {
    const width = node.clientWidth;
    if (width <= 0) return;
    const state = store.state;
    toolbar.show(state);
    legend.show(state.palette, state.scale, state.focused !== undefined && state.asText);
    const beside = state.focused !== undefined && width >= sideBySide;
    node.classList.toggle("jp-mod-focused", state.focused !== undefined);
    node.classList.toggle("jp-mod-narrow", width < narrow);
    panes.classList.toggle("jp-mod-beside", beside);
    const small = Math.min(330, Math.max(narrowestMap, Math.round(width * 0.34)));
    grid.draw(beside ? small : width, state.focused !== undefined);
    focus.draw(beside ? width - Math.max(grid.node.offsetWidth, narrowestMap) - gap : width);
    pair.draw();
    effects.draw();
    controls.show(state, kernel.status());
    toolbar.connection(kernel.status());
    showReading(state);
    showTable(state);
  };
  const frame = createFrame(draw);

  function showReading(state: HeadGridState): void {
    if (state.choosing) {
      const text = words.__("Choose the other head in the map; Esc cancels");
      reading.replaceChildren(element("span", { class: "jp-AttentionReading-note" }, text));
      return tooltip.hide();
    }
    const ofText = focus.reading();
    if (ofText) {
      reading.replaceChildren(...ofText);
      return tooltip.hide();
    }
    const target =
      state.pointed ?? (state.focused && state.pinned ? { address: state.focused, square: state.pinned } : undefined);
    if (!target) {
      const hint = state.focused
        ? words.__("Point at a square to read it, click to pin it; Esc shows all heads")
        : words.__("Point at a head to read its weights, click to enlarge it");
      reading.replaceChildren(element("span", { class: "jp-AttentionReading-note" }, hint));
      tooltip.hide();
      return;
    }
    const isFine = state.pointed?.isFine ?? !state.pointed;
    const nodes = (): readonly Node[] =>
      readingNodes(
        (isFine ? model.readFine : model.read)(state.sample, target.address, target.square),
        target.address,
        words,
      );
    reading.replaceChildren(...nodes());
    if (state.pointed && pointer.inside) tooltip.show(nodes(), pointer.x, pointer.y);
    else tooltip.hide();
  }

  function showTable(state: HeadGridState): void {
    const key = state.table ? `${state.sample} ${state.focused ? headName(state.focused) : "all"}` : "";
    if (key === shownTable) return;
    shownTable = key;
    tableSlot.replaceChildren(...(state.table ? [tableView(model, state.sample, state.focused, words)] : []));
  }

  function announce(text: string): void {
    live.say(text);
    reading.replaceChildren(element("span", { class: "jp-AttentionReading-note" }, text));
  }

  function act(action: FigureAction): void {
    const { palette, scale, sample, focused, table } = store.state;
    switch (action) {
      case "next-palette":
        store.set({ palette: nextPalette(palette) });
        return;
      case "toggle-scale":
        return store.set({ scale: otherScale(scale) });
      case "toggle-table":
        return store.set({ table: !table });
      case "all-heads":
        return store.set({ focused: undefined, pinned: undefined, pointed: undefined, other: undefined, view: undefined, locked: undefined }); // prettier-ignore
      case "copy-png":
      case "copy-svg":
      case "save-png":
      case "save-svg":
      case "save-pdf":
      case "save-csv":
      case "save-json":
      case "save-npz": {
        const options = { sample, palette, scale, ...(focused ? { head: focused } : {}) };
        const name = focused ? `attention-${headName(focused)}` : "attention-heads";
        exportFigure(action, headGridMime, payload, options, name).then(
          () => announce(action.startsWith("copy") ? words.__("Copied the picture") : words.__("Saved")),
          (error: unknown) =>
            announce(words.__("Not exported: %1", error instanceof Error ? error.message : String(error))),
        );
      }
    }
  }
  onAction(node, act);

  /** Takes a head out, in the way that is chosen. */
  function ablate(address: HeadAddress | undefined, mode: HeadAblation = store.state.mode): void {
    const status = kernel.status();
    if (!address) return;
    if (status.state !== "live") return announce(statusText(status, words));
    live.say(words.__("Ablating %1", headName(address)));
    kernel.ablate(address, status.modes.includes(mode) ? mode : "zero");
  }

  function found(effect: HeadEffect): void {
    const others = store.state.effects.filter((each) => !isSameAblation(each, effect));
    const kept = [...others, effect].slice(-headEffectCaps.effects);
    store.set({ effects: kept });
    live.say(headEffectText(effect));
    context.save?.({ ...payload, effects: kept });
  }

  const kernel = createLiveHead({
    ...{ payload, model, store, words, found, request: frame.request },
    live: run,
    saved: context.saved ?? "no-kernel",
  });
  const name = payload.live;
  const shared = name && context.selections?.of(name.run, name.stack);
  const endSharing = shareSelection(model, store, shared, context.follows ?? false);
  onRequest(node, (request) => {
    const { layer = store.state.current.layer, head = store.state.current.head } = request;
    if (layer >= payload.layers || head >= payload.heads) return;
    if (request.kind === "ablate") return ablate({ layer, head }, request.mode);
    store.set({ current: { layer, head }, focused: { layer, head }, pinned: undefined, pointed: undefined });
  });

  node.addEventListener(
    "pointermove",
    (event) => {
      pointer = { x: event.clientX, y: event.clientY, inside: true };
      if (store.state.pointed) frame.request();
    },
    { capture: true, passive: true },
  );
  node.addEventListener("pointerleave", () => {
    pointer = { ...pointer, inside: false };
    frame.request();
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && store.state.choosing) {
      handled(event);
      store.set({ choosing: false });
    } else if (event.key === "Escape" && store.state.focused) {
      const address = store.state.focused;
      handled(event);
      act("all-heads");
      grid.focusHead(address);
    } else if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") {
      event.stopPropagation();
    }
  });
  const stop = store.listen(frame.request);
  const endAccelerators = passAccelerators(node);
  const watch = new ResizeObserver(frame.request);
  watch.observe(node);

  return {
    node,
    draw,
    update(changed): boolean {
      const other = changed as HeadGridPayload;
      if (!isSameGrid(payload, other)) return false;
      store.set({ effects: other.effects ?? [] });
      return true;
    },
    dispose(): void {
      stop();
      endSharing();
      kernel.dispose();
      effects.dispose();
      pair.dispose();
      endAccelerators();
      watch.disconnect();
      frame.dispose();
      tooltip.dispose();
      grid.dispose();
      focus.dispose();
      node.remove();
    },
  };
}
