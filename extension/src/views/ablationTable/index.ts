import { effectMatrix, rowsBySize, type ScaleName } from "attention-lab/figure";
import { ablationTableMime, type AblationTablePayload, type MatrixPayload } from "attention-lab/views";
import { choice } from "../../dom/choice.js";
import { element } from "../../dom/element.js";
import { createLegend } from "../../dom/legend.js";
import { createStore } from "../../dom/store.js";
import type { GridPlace } from "../../a11y/gridKeys.js";
import { cellNodes, cellText } from "../matrix/cell.js";
import { createMatrixPlot } from "../matrix/plot.js";
import { showRamp } from "../matrix/ramp.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import { rowDetail } from "./detail.js";
import { rowName, type AblationFilter, type AblationOrder } from "./rows.js";
import { createEffectTable } from "./table.js";
import { otherScale, scaleChoice } from "../look.js";

const widestMap = 430;

/** What a reader can change. */
interface AblationState extends AblationFilter {
  readonly scale: ScaleName;
  readonly pointed: GridPlace | undefined;
  /** The row that is shown in full. */
  readonly picked: number | undefined;
}

/** The effects of taking heads out: a map, a table that sorts and filters, and one head in full. */
export function ablationTableView(payload: AblationTablePayload, { words }: ViewContext): View {
  const { columns, modes } = payload;
  const store = createStore<AblationState>({
    mode: 0,
    layer: undefined,
    mostQ: undefined,
    order: "size",
    descending: true,
    scale: "linear",
    pointed: undefined,
    picked: rowsBySize(payload, 0)[0],
  });
  const maps = new Map<number, MatrixPayload>();
  const mapOf = (mode: number): MatrixPayload => {
    const map = maps.get(mode) ?? effectMatrix(payload, mode);
    maps.set(mode, map);
    return map;
  };
  const modeChoice = choice(
    words.__("How heads are taken out"),
    modes.map((name, at) => ({ value: String(at), label: name })),
    (value) => store.set({ mode: Number(value), picked: rowsBySize(payload, Number(value))[0] }),
  );
  modeChoice.hidden = modes.length < 2;
  const layers = [...new Set(columns.layer)].sort((a, b) => a - b);
  const layerChoice = choice(
    words.__("Layer"),
    [
      { value: "", label: words.__("all layers") },
      ...layers.map((layer) => ({ value: String(layer), label: words.__("layer %1", layer) })),
    ],
    (value) => store.set({ layer: value === "" ? undefined : Number(value) }),
  );
  const qChoice = choice(
    words.__("False discovery rate"),
    [
      { value: "", label: words.__("any q") },
      ...["0.1", "0.05", "0.01"].map((value) => ({ value, label: `q ≤ ${value}` })),
    ],
    (value) => store.set({ mostQ: value === "" ? undefined : Number(value) }),
  );
  const scale = scaleChoice(words, (value) => store.set({ scale: value }));
  const legend = createLegend();
  const plot = createMatrixPlot({
    label: words.__("Effects by layer and head; arrow keys move, Enter shows a head"),
    onPoint: (pointed, keyed) => {
      store.set({ pointed });
      if (pointed && keyed) shell.live.say(cellText(mapOf(store.state.mode), pointed));
    },
    onPick: ({ row: layer, column: head }) => {
      const row = columns.layer.findIndex(
        (of, at) => of === layer && columns.head[at] === head && columns.mode[at] === store.state.mode,
      );
      if (row >= 0) pick(row);
    },
  });
  const table = createEffectTable(payload, words, { onOrder, onPick: pick });
  const detail = element("div", { class: "jp-AttentionAblation-slot" });
  const panes = element(
    "div",
    { class: "jp-AttentionAblation-panes" },
    element("div", { class: "jp-AttentionAblation-map" }, plot.node, legend.node),
    detail,
  );
  const shell = createShell(
    {
      className: "jp-AttentionAblation",
      title: payload.title,
      subtitle: words.__("change of %1 when a head is taken out", payload.metric),
      mime: ablationTableMime,
      payload,
      fileName: "ablation",
      words,
      tools: [modeChoice, layerChoice, qChoice, scale],
      options: () => ({ scale: store.state.scale }),
      table: undefined,
      draw,
      act: (action) => {
        if (action === "toggle-scale") store.set({ scale: otherScale(store.state.scale) });
      },
      dispose: () => stop(),
    },
    words.__("Click a head to see what happens without it; headings sort"),
  );
  shell.body.append(
    panes,
    table.node,
    ...payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note)),
  );
  const stop = store.listen(shell.request);
  let shownRows = "";
  let shownDetail: number | undefined;

  function onOrder(order: AblationOrder): void {
    const { order: before, descending } = store.state;
    // What is large is looked for in effects, what is small in p and q.
    store.set(order === before ? { descending: !descending } : { order, descending: order === "size" });
  }

  function pick(row: number): void {
    const same = store.state.picked === row;
    store.set({ picked: same ? undefined : row });
    shell.live.say(same ? words.__("Closed") : words.__("Shown: %1", rowName(payload, row)));
  }

  function draw(width: number): void {
    const { mode, layer, mostQ, order, descending, scale: scaleName, pointed, picked } = store.state;
    const look = { palette: "viridis", scale: scaleName } as const;
    const map = mapOf(mode);
    plot.draw(map, look, Math.min(width, widestMap));
    showRamp(legend, map, look);
    modeChoice.value = String(mode);
    layerChoice.value = layer === undefined ? "" : String(layer);
    qChoice.value = mostQ === undefined ? "" : String(mostQ);
    scale.value = scaleName;
    const key = [mode, layer, mostQ, order, descending].join();
    if (key !== shownRows) table.show({ mode, layer, mostQ, order, descending });
    shownRows = key;
    if (picked !== shownDetail) {
      shownDetail = picked;
      detail.replaceChildren(...(picked === undefined ? [] : [rowDetail(payload, picked, words)]));
      table.mark(picked);
    }
    const place =
      picked === undefined ? undefined : { row: columns.layer[picked] ?? 0, column: columns.head[picked] ?? 0 };
    plot.mark(pointed, place);
    shell.read(pointed ? cellNodes(map, pointed) : undefined);
  }
  return shell.view;
}
