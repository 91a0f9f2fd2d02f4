import type { MatrixAxis, MatrixPayload } from "../views/index.js";
import { visibleToken } from "../views/visibleToken.js";
import { colourBar, pictureImage, provenanceNotes, smallPrint, svgDocument } from "./frame.js";
import type { Ink } from "./inks.js";
import { matrixIndices, matrixRamp, matrixTable, type MatrixLook } from "./matrixColours.js";
import type { PlotArea } from "./plotFrame.js";
import { element, fitText, textLine, textWidth } from "./svg.js";

const margin = 12;
const labelSize = 8.5;
const longestLabel = 96;
const largestCell = 26;
const tallest = 520;

/** How a matrix is drawn. */
export interface MatrixDrawing extends MatrixLook {
  readonly width: number;
  readonly ink: Ink;
  /** False: only cells and labels, without title, colour bar and notes. */
  readonly words?: boolean;
}

/** Where the cells of a drawn matrix lie; read-outs use it as well. */
export interface MatrixLayout {
  readonly area: PlotArea;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly rowLabels: readonly string[];
  readonly columnLabels: readonly string[];
  /** Column labels run upwards. */
  readonly upright: boolean;
  /** Height of title, labels and cells. */
  readonly height: number;
}

/** Lays a matrix out: square cells where there is room, narrower ones where there is not. */
export function matrixLayout(payload: MatrixPayload, width: number, words: boolean = true): MatrixLayout {
  const rowLabels = shownLabels(payload.rows);
  const columnLabels = shownLabels(payload.columns);
  const widest = (labels: readonly string[]): number => Math.max(...labels.map((label) => textWidth(label, labelSize)));
  const left = margin + Math.max(widest(rowLabels), 34) + 8;
  const cellWidth = Math.min(largestCell, (width - left - margin) / columnLabels.length);
  const cellHeight = Math.min(largestCell, Math.max(cellWidth, 9), tallest / rowLabels.length);
  const upright = widest(columnLabels) > Math.max(cellWidth, 18) - 2;
  const top = (words ? 44 : 16) + (upright ? widest(columnLabels) + 4 : 12);
  const area = { left, top, width: cellWidth * columnLabels.length, height: cellHeight * rowLabels.length };
  return { area, cellWidth, cellHeight, rowLabels, columnLabels, upright, height: top + area.height };
}

function shownLabels({ labels }: MatrixAxis): readonly string[] {
  return labels.map((label) => fitText(visibleToken(label), labelSize, longestLabel));
}

/** A matrix with its labels as SVG, coloured by a scale that the bar below states. */
export function drawMatrix(payload: MatrixPayload, drawing: MatrixDrawing): string {
  const { width, ink, words = true } = drawing;
  const layout = matrixLayout(payload, width, words);
  const barY = layout.height + 16;
  const { title, rows, columns, measure } = payload;
  const blank = payload.values.some((value) => value === null) ? ["cells without a value are blank"] : [];
  const notes = [...blank, ...payload.notes, ...provenanceNotes(payload)];
  const print = smallPrint(margin, barY + 28, width - 2 * margin, notes, ink);
  const body = [
    ...(words ? [textLine(margin, 22, fitText(title, 13, width - 2 * margin), { size: 13, weight: "bold" })] : []),
    ...matrixCells(payload, layout, drawing),
    ...(words
      ? [...colourBar(margin, barY, width - 2 * margin, matrixRamp(payload, drawing), ink), ...print.body]
      : []),
  ];
  const size = `${rows.labels.length} × ${columns.labels.length}`;
  return svgDocument(
    width,
    Math.ceil(words ? barY + 28 + print.height + margin : layout.height + 4),
    {
      title,
      description: [`${measure}: rows are ${rows.name}, columns are ${columns.name}, ${size}`, ...notes].join(". "),
    },
    body,
    ink,
  );
}

/** The cells and their labels alone. */
export function matrixCells(payload: MatrixPayload, layout: MatrixLayout, drawing: MatrixDrawing): readonly string[] {
  const { area, cellWidth, cellHeight, rowLabels, columnLabels, upright } = layout;
  const { ink } = drawing;
  const { left, top, width, height } = area;
  const rowStep = stepFor(cellHeight, 10);
  const columnStep = stepFor(
    cellWidth,
    upright ? 10 : Math.max(...columnLabels.map((l) => textWidth(l, labelSize))) + 5,
  );
  const quiet = { size: labelSize, fill: ink.quiet };
  return [
    ...[`${payload.columns.name} →`, `${payload.rows.name} ↓`].map((name, line) =>
      textLine(left - 6, top - 14 + line * 10, name, { ...quiet, size: 7.5, anchor: "end" }),
    ),
    ...rowLabels.flatMap((label, at) =>
      at % rowStep ? [] : [textLine(left - 6, top + (at + 0.5) * cellHeight + 3, label, { ...quiet, anchor: "end" })],
    ),
    ...columnLabels.flatMap((label, at) => {
      if (at % columnStep) return [];
      const x = left + (at + 0.5) * cellWidth;
      return [
        upright
          ? textLine(x + 3, top - 5, label, { ...quiet, rotate: -90 })
          : textLine(x, top - 5, label, { ...quiet, anchor: "middle" }),
      ];
    }),
    pictureImage(
      { x: left, y: top, width, height },
      {
        width: columnLabels.length,
        height: rowLabels.length,
        indices: matrixIndices(payload, drawing.scale),
        colours: matrixTable(payload, drawing.palette),
      },
    ),
    element("rect", { x: left, y: top, width, height, fill: "none", stroke: ink.line, "stroke-width": 0.5 }),
  ];
}

/** Every how many labels there is room for one. */
function stepFor(pitch: number, room: number): number {
  return [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((step) => step * pitch >= room) ?? 2000;
}
