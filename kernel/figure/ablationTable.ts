import { matrix, type AblationTablePayload, type MatrixPayload } from "../views/index.js";
import { axisOver, tickText } from "./axis.js";
import { colourBar, provenanceNotes, smallPrint, svgDocument } from "./frame.js";
import { matrixCells, matrixLayout, type MatrixDrawing } from "./matrix.js";
import { matrixRamp } from "./matrixColours.js";
import { stackedDocuments } from "./stackedDocuments.js";
import { element, fitText, number, textLine } from "./svg.js";

const margin = 12;
const shownRows = 12;
const rowHeight = 15;
const labelWidth = 62;

/** Rows of one mode, the largest effect first; rows without an effect at the end. */
export function rowsBySize({ columns }: AblationTablePayload, mode: number): readonly number[] {
  const size = (row: number): number => Math.abs(columns.effect[row] ?? -1);
  return columns.mode.flatMap((of, row) => (of === mode ? [row] : [])).sort((a, b) => size(b) - size(a));
}

/** The effects of one mode by layer and head. */
export function effectMatrix(payload: AblationTablePayload, mode: number): MatrixPayload {
  const { columns, title, metric, modes, provenance } = payload;
  const [layers, heads] = [columns.layer, columns.head].map((of) => of.reduce((most, at) => Math.max(most, at), 0) + 1);
  const values = Array.from({ length: layers }, () => new Array<number>(heads).fill(NaN));
  columns.mode.forEach((of, row) => {
    if (of === mode) values[columns.layer[row]][columns.head[row]] = columns.effect[row] ?? NaN;
  });
  const labels = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => String(at));
  return matrix(values, {
    title: modes.length > 1 ? `${title} · ${modes[mode]}` : title,
    measure: `change of ${metric}`,
    kind: "diverging",
    rows: { name: "layer", labels: labels(layers) },
    columns: { name: "head", labels: labels(heads) },
    provenance,
  });
}

/** An ablation table as SVG: of each mode the map of effects, and the largest with their intervals. */
export function drawAblationTable(payload: AblationTablePayload, drawing: MatrixDrawing): string {
  const pictures = payload.modes.map((_, mode) => drawMode(payload, mode, drawing));
  return pictures.length === 1 ? pictures[0] : stackedDocuments(payload.title, pictures, drawing.ink);
}

function drawMode(payload: AblationTablePayload, mode: number, drawing: MatrixDrawing): string {
  const { width, ink } = drawing;
  const map = effectMatrix(payload, mode);
  const layout = matrixLayout(map, width);
  const { columns } = payload;
  const rows = rowsBySize(payload, mode).slice(0, shownRows);
  const barY = layout.height + 16;
  const top = barY + 50;
  const ends = rows.flatMap((row) => [columns.effect[row], columns.low[row], columns.high[row]]);
  const known = [0, ...ends.flatMap((end) => (end === null ? [] : [end]))];
  const axis = axisOver(Math.min(...known), Math.max(...known), { ticks: Math.floor(width / 110), wide: true });
  const plotWidth = width - 2 * margin - labelWidth - 8;
  const x = (value: number): number => margin + labelWidth + axis.place(value) * plotWidth;
  const bottom = top + rows.length * rowHeight;
  const rule = (d: string, stroke: string, strokeWidth: number): string =>
    element("path", { d, fill: "none", stroke, "stroke-width": strokeWidth });
  const notes = [
    `The ${rows.length} largest effects with 95 % intervals`,
    ...payload.notes,
    ...provenanceNotes(payload),
  ];
  const print = smallPrint(margin, bottom + 24, width - 2 * margin, notes, ink);
  const body = [
    textLine(margin, 22, fitText(map.title, 13, width - 2 * margin), { size: 13, weight: "bold" }),
    ...matrixCells(map, layout, drawing),
    ...colourBar(margin, barY, width - 2 * margin, matrixRamp(map, drawing), ink),
    ...axis.ticks.flatMap((tick) => [
      rule(`M${number(x(tick))} ${top}V${bottom}`, tick === 0 ? ink.quiet : ink.line, tick === 0 ? 1 : 0.5),
      textLine(x(tick), bottom + 12, tickText(tick), { size: 8, fill: ink.quiet, anchor: "middle" }),
    ]),
    ...rows.flatMap((row, at) => {
      const y = top + (at + 0.5) * rowHeight;
      const [effect, low, high] = [columns.effect[row], columns.low[row], columns.high[row]];
      const name = `L${columns.layer[row]}.H${columns.head[row]}`;
      const dot = effect === null ? [] : [element("circle", { cx: x(effect), cy: y, r: 2.6, fill: ink.text })];
      const whisker =
        low === null || high === null ? [] : [rule(`M${number(x(low))} ${y}H${number(x(high))}`, ink.text, 1)];
      return [textLine(margin + labelWidth - 8, y + 3, name, { size: 9, anchor: "end" }), ...whisker, ...dot];
    }),
    ...print.body,
  ];
  return svgDocument(
    width,
    Math.ceil(bottom + 24 + print.height + margin),
    {
      title: map.title,
      description: [`${map.measure} when a head is taken out: map by layer and head`, ...notes].join(". "),
    },
    body,
    ink,
  );
}
