import { gridMove, type GridPlace } from "../../a11y/gridKeys.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element } from "../../dom/element.js";
import { createCross, placeCross, type MatrixBox } from "../../draw/cross.js";
import { extremePixels } from "../../draw/extremes.js";

/** One of the matrices on the screen. */
export interface PairPanel {
  readonly node: HTMLElement;
  /** Draws into `width` CSS pixels; nothing is drawn anew while the key stays. */
  readonly draw: (key: string, width: number, picture: PanelPicture) => void;
  readonly mark: (pointed: GridPlace | undefined, picked: GridPlace | undefined) => void;
  readonly dispose: () => void;
}

export interface PanelPicture {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly colourOf: (value: number) => number;
  readonly mask: { readonly isHidden: (row: number, column: number) => boolean; readonly colour: number };
}

export interface PanelEvents {
  readonly name: string;
  readonly label: string;
  readonly onPoint: (cell: GridPlace | undefined, keyed: boolean) => void;
  readonly onPick: (cell: GridPlace) => void;
}

const largestCell = 26;

/** An empty panel. */
export function createPairPanel({ name, label, onPoint, onPick }: PanelEvents): PairPanel {
  const canvas = element("canvas", { class: "jp-AttentionPair-canvas", "aria-hidden": "true" });
  const cross = createCross("jp-AttentionPair");
  const pin = createCross("jp-AttentionPair");
  pin.node.classList.add("jp-mod-pinned");
  const matrix = ownKeys(
    element(
      "div",
      { class: "jp-AttentionPair-matrix", tabindex: 0, role: "application", "aria-label": label },
      canvas,
      cross.node,
      pin.node,
    ),
  );
  const node = element(
    "div",
    { class: "jp-AttentionPair-panel" },
    element("p", { class: "jp-AttentionPair-title" }, element("bdi", {}, name)),
    matrix,
  );
  let box: MatrixBox | undefined;
  let drawn = "";
  let here: GridPlace | undefined;

  const cellAt = (event: MouseEvent): GridPlace | undefined => {
    if (!box) return undefined;
    const { left, top } = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / box.width) * box.columns);
    const row = Math.floor(((event.clientY - top) / box.height) * box.rows);
    return row >= 0 && row < box.rows && column >= 0 && column < box.columns ? { row, column } : undefined;
  };
  const point = (cell: GridPlace | undefined, keyed: boolean): void => {
    if (cell?.row === here?.row && cell?.column === here?.column) return;
    here = cell;
    onPoint(cell, keyed);
  };
  matrix.addEventListener("pointermove", (event) => point(cellAt(event), false));
  matrix.addEventListener("pointerleave", () => point(undefined, false));
  matrix.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell) onPick(cell);
  });
  matrix.addEventListener("keydown", (event) => {
    if (!box) return;
    if ((event.key === "Enter" || event.key === " ") && here) {
      handled(event);
      return onPick(here);
    }
    const next = gridMove(event, here ?? { row: 0, column: 0 }, box.rows, box.columns);
    if (!next) return;
    handled(event);
    point(here ? next : { row: 0, column: 0 }, true);
  });

  return {
    node,
    draw(key, width, { values, rows, columns, colourOf, mask }): void {
      const ratio = window.devicePixelRatio || 1;
      const cell = Math.min(largestCell, width / Math.max(rows, columns));
      const size = {
        width: Math.max(1, Math.round(columns * cell * ratio)),
        height: Math.max(1, Math.round(rows * cell * ratio)),
      };
      const now = `${key} ${size.width} ${size.height}`;
      if (now === drawn) return;
      drawn = now;
      box = { left: 0, top: 0, width: size.width / ratio, height: size.height / ratio, rows, columns };
      canvas.width = size.width;
      canvas.height = size.height;
      canvas.style.width = `${box.width}px`;
      canvas.style.height = `${box.height}px`;
      const context = canvas.getContext("2d");
      if (!context) return;
      const image = context.createImageData(size.width, size.height);
      new Uint32Array(image.data.buffer).set(extremePixels(values, rows, columns, size, colourOf, mask));
      context.putImageData(image, 0, 0);
    },
    mark(pointed, picked): void {
      here = pointed ?? here;
      if (pointed && box) placeCross(cross, pointed, box);
      else cross.hide();
      if (picked && box) placeCross(pin, picked, box);
      else pin.hide();
    },
    dispose(): void {
      canvas.width = 0;
      canvas.height = 0;
    },
  };
}
