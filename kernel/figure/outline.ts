import type { PlotArea } from "./plotFrame.js";
import { element, number } from "./svg.js";

/** The edges between squares that belong to something and squares that do not, and the picture's own edge, as path data. */
export function outlinePath(
  isInside: (column: number, row: number) => boolean,
  columns: number,
  rows: number,
  { left, top, width, height }: PlotArea,
): string {
  const inside = (column: number, row: number): boolean =>
    column >= 0 && row >= 0 && column < columns && row < rows && isInside(column, row);
  const x = (column: number): string => number(left + (column * width) / columns);
  const y = (row: number): string => number(top + (row * height) / rows);
  const parts: string[] = [];
  for (let row = 0; row <= rows; row++) {
    for (const [from, to] of runs(columns, (at) => inside(at, row - 1) !== inside(at, row))) parts.push(`M${x(from)} ${y(row)}H${x(to)}`); // prettier-ignore
  }
  for (let column = 0; column <= columns; column++) {
    for (const [from, to] of runs(rows, (at) => inside(column - 1, at) !== inside(column, at))) parts.push(`M${x(column)} ${y(from)}V${y(to)}`); // prettier-ignore
  }
  return parts.join("");
}

/** The stretches in which something holds: first place, and the one after the last. */
function runs(count: number, holds: (at: number) => boolean): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (let at = 0; at < count; at++) {
    if (!holds(at)) continue;
    const last = found.at(-1);
    if (last?.[1] === at) last[1]++;
    else found.push([at, at + 1]);
  }
  return found;
}

/** An outline that is seen on light and on dark. */
export function drawnOutline(d: string): readonly string[] {
  if (d === "") return [];
  const look = { class: "outline", d, fill: "none", "stroke-linecap": "square" };
  return [
    element("path", { ...look, stroke: "#000000", "stroke-width": 3 }),
    element("path", { ...look, stroke: "#ffffff", "stroke-width": 1.2 }),
  ];
}
