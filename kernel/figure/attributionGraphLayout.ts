import { visibleToken } from "../views/visibleToken.js";
import type { AttributionGraphPayload } from "../views/index.js";
import type { Ink } from "./inks.js";
import { fitText, textWidth } from "./svg.js";

export const margin = 12;
export const labelSize = 7.5;
const rowNames = 30;
/** What stands right of the last column: the names of MLPs, or of what is last in a row. */
const lastName = 26;
const longestToken = 60;
/** Edges that are drawn unless a least weight is given. */
const usual = 100;

/** How a graph is drawn. */
export interface AttributionGraphLook {
  readonly width: number;
  readonly ink: Ink;
  /** Least size of the weights that are drawn; default: that of the hundredth largest. */
  readonly least?: number;
  /** False: only the graph, without title and notes. */
  readonly words?: boolean;
}

/** Where everything of a graph lies; read-outs use it as well. */
export interface AttributionGraphLayout {
  readonly least: number;
  /** How many edges are drawn: the first of the payload. */
  readonly drawn: number;
  /** Share of the weight of all edges, those that are not stored included, that is drawn. */
  readonly share: number;
  /** By node: where it lies, and whether an edge that is drawn ends there. */
  readonly places: readonly { readonly x: number; readonly y: number; readonly isShown: boolean }[];
  readonly radius: number;
  /** Room between neighbours of a row. */
  readonly room: number;
  /** Where the row of the inputs lies, and how far apart rows are. */
  readonly foot: number;
  readonly pitch: number;
  /** Positions below the columns, where nodes have them. */
  readonly columns: readonly { readonly x: number; readonly label: string }[];
  /** Their names run upwards. */
  readonly upright: boolean;
  readonly height: number;
}

/**
 * Lays a graph out: inputs at the foot, a row for each layer, outputs at the top. Columns are heads; where nodes stand at tokens they
 * are the tokens, and the heads of a layer that stand at one lie side by side.
 */
export function attributionGraphLayout(
  payload: AttributionGraphPayload,
  look: AttributionGraphLook,
): AttributionGraphLayout {
  const { layers, heads, nodes, edges, all, tokens } = payload;
  const { width, words = true } = look;
  const { least = Math.abs(edges.weight[Math.min(usual, edges.weight.length) - 1]) } = look;
  const firstBelow = edges.weight.findIndex((weight) => Math.abs(weight) < least);
  const drawn = firstBelow < 0 ? edges.weight.length : firstBelow;
  const weight = edges.weight.slice(0, drawn).reduce((sum, each) => sum + Math.abs(each), 0);
  const top = words ? 34 : 8;
  const pitch = Math.min(56, Math.max(20, 560 / (layers + 2)));
  const left = margin + rowNames;
  const across = width - left - margin - lastName;
  const foot = top + (layers + 1.5) * pitch;
  const shown = new Set([...edges.from.slice(0, drawn), ...edges.to.slice(0, drawn)]);
  const positions = [...new Set(nodes.position ?? [])].filter((position) => position >= 0).sort((a, b) => a - b);
  const cells = cellsOf(payload, shown);
  const crowd = Math.max(1, ...[...cells.values()].map(({ length }) => length));
  const column = across / (positions.length || heads + 0.5);
  const room = positions.length > 0 ? Math.min(40, column / crowd) : column;
  const radius = Math.max(2, Math.min(8, room * 0.3, pitch * 0.24));
  const columnX = (position: number): number => left + (positions.indexOf(position) + 0.5) * column;
  const places = nodes.kind.map((kind, at) => {
    const position = nodes.position?.[at] ?? -1;
    const isShown = shown.has(at);
    const middle = position >= 0 ? columnX(position) : left + across / 2;
    const cell = cells.get(cellOf(payload, at)) ?? [];
    const aside = positions.length > 0 ? (Math.max(0, cell.indexOf(at)) - (cell.length - 1) / 2) * room : 0;
    const headX = positions.length > 0 ? middle + aside : left + (nodes.head[at] + 0.5) * column;
    const layerY = foot - (nodes.layer[at] + 1) * pitch;
    switch (kind) {
      case "input":
        return { x: middle, y: foot, isShown };
      case "output":
        return { x: middle, y: foot - (layers + 1) * pitch, isShown };
      case "mlp":
        return {
          x: positions.length > 0 ? middle + Math.min(column * 0.4, room * 0.8) : left + (heads + 0.25) * column,
          y: layerY - pitch * 0.4,
          isShown,
        };
      case "keys":
        return { x: headX, y: layerY + pitch * 0.3, isShown };
      case "head":
        return { x: headX, y: layerY, isShown };
    }
  });
  const step = Math.ceil(11 / column);
  const columns = positions.flatMap((position, at) => {
    const token = tokens?.[position];
    const label =
      token === undefined ? String(position) : fitText(`${position} ${visibleToken(token)}`, labelSize, longestToken);
    return at % step ? [] : [{ x: columnX(position), label }];
  });
  const widest = Math.max(0, ...columns.map(({ label }) => textWidth(label, labelSize)));
  const upright = widest > column - 6;
  const named = columns.length === 0 ? 0 : upright ? widest + 6 : 10;
  const share = all.weight > 0 ? Math.min(1, weight / all.weight) : 0;
  return {
    least,
    drawn,
    share,
    places,
    radius,
    room,
    foot,
    pitch,
    columns,
    upright,
    height: foot + radius + named + 12,
  };
}

/** Nodes that stand side by side: those of a kind, a layer and a position that are shown. */
function cellsOf(payload: AttributionGraphPayload, shown: ReadonlySet<number>): ReadonlyMap<string, readonly number[]> {
  const cells = new Map<string, number[]>();
  if (!payload.nodes.position) return cells;
  for (const at of [...shown].sort((a, b) => payload.nodes.head[a] - payload.nodes.head[b])) {
    const key = cellOf(payload, at);
    const cell = cells.get(key) ?? [];
    cells.set(key, [...cell, at]);
  }
  return cells;
}

const cellOf = ({ nodes }: AttributionGraphPayload, at: number): string =>
  [nodes.kind[at], nodes.layer[at], nodes.position?.[at] ?? -1].join(" ");
