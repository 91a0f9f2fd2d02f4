import { drawMatrix, inks, matrixLayout, type MatrixLayout, type MatrixLook } from "attention-lab/figure";
import type { MatrixPayload } from "attention-lab/views";
import { gridMove, type GridPlace } from "../../a11y/gridKeys.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element } from "../../dom/element.js";
import { pictureNode } from "../../dom/picture.js";
import { createCross, placeCross } from "../../draw/cross.js";

/** A matrix on the screen that can be pointed at and picked from, by pointer and by keys. */
export interface MatrixPlot {
  readonly node: HTMLElement;
  /** Draws into `width` CSS pixels. */
  readonly draw: (payload: MatrixPayload, look: MatrixLook, width: number) => void;
  /** Marks the pointed and the picked cell. */
  readonly mark: (pointed: GridPlace | undefined, picked: GridPlace | undefined) => void;
}

/** What a plot tells; `keyed` is true where a key led to the cell. */
export interface MatrixPlotEvents {
  readonly label: string;
  readonly onPoint: (cell: GridPlace | undefined, keyed: boolean) => void;
  readonly onPick: (cell: GridPlace) => void;
}

/** An empty plot. */
export function createMatrixPlot({ label, onPoint, onPick }: MatrixPlotEvents): MatrixPlot {
  const cross = createCross("jp-AttentionMatrix");
  const pin = createCross("jp-AttentionMatrix");
  pin.node.classList.add("jp-mod-pinned");
  const node = ownKeys(
    element("div", { class: "jp-AttentionMatrix-plot", tabindex: 0, role: "application", "aria-label": label }),
  );
  let drawn: { readonly key: string; readonly layout: MatrixLayout } | undefined;
  let here: GridPlace | undefined;

  const cellAt = (event: MouseEvent): GridPlace | undefined => {
    if (!drawn) return undefined;
    const { area, cellWidth, cellHeight, rowLabels, columnLabels } = drawn.layout;
    const box = node.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - area.left) / cellWidth);
    const row = Math.floor((event.clientY - box.top - area.top) / cellHeight);
    return row >= 0 && row < rowLabels.length && column >= 0 && column < columnLabels.length
      ? { row, column }
      : undefined;
  };
  const point = (cell: GridPlace | undefined, keyed: boolean): void => {
    if (cell?.row === here?.row && cell?.column === here?.column) return;
    here = cell;
    onPoint(cell, keyed);
  };
  node.addEventListener("pointermove", (event) => point(cellAt(event), false));
  node.addEventListener("pointerleave", () => point(undefined, false));
  node.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell) onPick(cell);
  });
  node.addEventListener("keydown", (event) => {
    if (!drawn) return;
    const { rowLabels, columnLabels } = drawn.layout;
    if ((event.key === "Enter" || event.key === " ") && here) {
      handled(event);
      return onPick(here);
    }
    const from = here ?? { row: 0, column: 0 };
    const next = gridMove(event, from, rowLabels.length, columnLabels.length);
    if (!next) return;
    handled(event);
    point(here ? next : from, true);
  });

  return {
    node,
    draw(payload, look, width): void {
      const key = `${payload.title} ${width} ${look.palette} ${look.scale}`;
      if (drawn?.key === key) return;
      drawn = { key, layout: matrixLayout(payload, width, false) };
      const picture = pictureNode(drawMatrix(payload, { ...look, width, ink: inks.page, words: false }));
      node.replaceChildren(picture, cross.node, pin.node);
    },
    mark(pointed, picked): void {
      if (!drawn) return;
      const { area, rowLabels, columnLabels } = drawn.layout;
      const box = { ...area, rows: rowLabels.length, columns: columnLabels.length };
      if (pointed) placeCross(cross, pointed, box);
      else cross.hide();
      if (picked) placeCross(pin, picked, box);
      else pin.hide();
    },
  };
}
