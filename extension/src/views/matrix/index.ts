import { visibleToken, type PaletteName, type ScaleName } from "attention-lab/figure";
import { matrixMime, type MatrixPayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import type { GridPlace } from "../../a11y/gridKeys.js";
import { element, tokenElement } from "../../dom/element.js";
import { createLegend } from "../../dom/legend.js";
import { createStore } from "../../dom/store.js";
import { preferences } from "../../preferences.js";
import type { Words } from "../../words.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import { cellNodes, cellText, valueAt } from "./cell.js";
import { createMatrixPlot } from "./plot.js";
import { showRamp } from "./ramp.js";
import { nextPalette, otherScale, paletteChoice, scaleChoice } from "../look.js";

const tableCells = 4_000;

/** What a reader can change. */
interface MatrixState {
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  readonly pointed: GridPlace | undefined;
  readonly picked: GridPlace | undefined;
}

/** Numbers by two things as a coloured map: layer × head, layer × token; a read-out of every cell. */
export function matrixView(payload: MatrixPayload, { words }: ViewContext): View {
  const store = createStore<MatrixState>({
    palette: preferences().palette,
    scale: "linear",
    pointed: undefined,
    picked: undefined,
  });
  const palette = paletteChoice(words, (value) => store.set({ palette: value }));
  palette.hidden = payload.kind === "diverging";
  const scale = scaleChoice(words, (value) => store.set({ scale: value }));
  const plot = createMatrixPlot({
    label: words.__(
      "%1: rows are %2, columns are %3; arrow keys move, Enter pins",
      payload.measure,
      payload.rows.name,
      payload.columns.name,
    ),
    onPoint: (pointed, keyed) => {
      store.set({ pointed });
      if (pointed && keyed) shell.live.say(cellText(payload, pointed));
    },
    onPick: (cell) => {
      const { picked } = store.state;
      const same = picked?.row === cell.row && picked.column === cell.column;
      store.set({ picked: same ? undefined : cell });
      shell.live.say(same ? words.__("Unpinned") : words.__("Pinned: %1", cellText(payload, cell)));
    },
  });
  const legend = createLegend();
  const shell = createShell(
    {
      className: "jp-AttentionMatrix",
      title: payload.title,
      subtitle: payload.measure,
      mime: matrixMime,
      payload,
      fileName: "matrix",
      words,
      tools: [palette, scale],
      options: () => ({ palette: store.state.palette, scale: store.state.scale }),
      table: () => matrixTable(payload, words),
      draw(width): void {
        const { pointed, picked, ...look } = store.state;
        palette.value = look.palette;
        scale.value = look.scale;
        plot.draw(payload, look, width);
        plot.mark(pointed, picked);
        showRamp(legend, payload, look);
        const cell = pointed ?? picked;
        shell.read(cell ? cellNodes(payload, cell) : undefined);
      },
      act(action): void {
        if (action === "toggle-scale") store.set({ scale: otherScale(store.state.scale) });
        if (action === "next-palette") store.set({ palette: nextPalette(store.state.palette) });
      },
      dispose: () => stop(),
    },
    words.__("Point at a cell to read it, click to pin it"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(plot.node, ...notes);
  shell.footer.append(legend.node);
  const stop = store.listen(shell.request);
  return shell.view;
}

function matrixTable(payload: MatrixPayload, words: Words): HTMLElement {
  const { rows, columns, measure } = payload;
  const shown = columns.labels.slice(0, Math.max(1, Math.floor(tableCells / rows.labels.length)));
  const lines = rows.labels
    .slice(0, tableCells)
    .map((label, row) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, tokenElement(visibleToken(label), "jp-AttentionTable-token")),
        ...shown.map((_, column) => element("td", {}, valueAt(payload, { row, column }))),
      ),
    );
  const headings = [`${rows.name} \\ ${columns.name}`, ...shown.map(visibleToken)];
  return tableRegion(tableOf(measure, headings, lines), words);
}
