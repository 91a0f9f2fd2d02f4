import type { GridPlace } from "../a11y/gridKeys.js";
import { element } from "../dom/element.js";

/** The cross-hair: the pointed square's row and column, and a ring around it. */
export interface Cross {
  readonly node: HTMLElement;
  readonly row: HTMLElement;
  readonly column: HTMLElement;
  readonly ring: HTMLElement;
  readonly hide: () => void;
}

/** A matrix on the screen: its box in CSS pixels and how many squares it is cut into. */
export interface MatrixBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  readonly columns: number;
}

/** A hidden cross-hair; its parts are named after the widget they lie on. */
export function createCross(widget: string): Cross {
  const row = element("div", { class: `${widget}-crossRow jp-AttentionCross-row` });
  const column = element("div", { class: `${widget}-crossColumn jp-AttentionCross-column` });
  const ring = element("div", { class: "jp-AttentionCross-ring" });
  const node = element("div", { class: "jp-AttentionCross", "aria-hidden": "true" }, row, column, ring);
  node.hidden = true;
  return { node, row, column, ring, hide: () => void (node.hidden = true) };
}

/** Shows the cross-hair on a square of a matrix. */
export function placeCross(cross: Cross, square: GridPlace, box: MatrixBox): void {
  const width = box.width / box.columns;
  const height = box.height / box.rows;
  const left = box.left + square.column * width;
  const top = box.top + square.row * height;
  place(cross.row, box.left, top, box.width, height);
  place(cross.column, left, box.top, width, box.height);
  place(cross.ring, left, top, width, height);
  cross.node.hidden = false;
}

function place(node: HTMLElement, left: number, top: number, width: number, height: number): void {
  node.style.transform = `translate(${left}px, ${top}px)`;
  node.style.width = `${width}px`;
  node.style.height = `${height}px`;
}
