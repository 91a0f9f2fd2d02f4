import { meanVariation, readPair, type HeadPairPayload } from "../views/index.js";
import { visibleToken } from "../views/visibleToken.js";
import { niceTop, type ScaleName } from "./colourScale.js";
import { colourBar, pictureImage, provenanceNotes, smallPrint, svgDocument, weightBar } from "./frame.js";
import type { Ink } from "./inks.js";
import { differenceColours, type PaletteName } from "./palettes.js";
import { isMasked, paintPattern, sheetColours } from "./patternPicture.js";
import { shadeLevel, type ShadeLook } from "./shades.js";
import { element, fitText, textLine, textWidth } from "./svg.js";
import { shadeRamp } from "./tokenStrip.js";

const margin = 12;
const gap = 16;
const labelSize = 8;
const longestLabel = 84;
const largestCell = 26;
const steps = 253;
const maskIndex = 255;

/** What fills a masked square of differences: a grey, which no difference has. */
export const differenceMask: readonly [number, number, number, number] = [190, 194, 199, 255];

/** How two heads are drawn. */
export interface PairDrawing {
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  readonly width: number;
  readonly ink: Ink;
}

/** The weight at the end of all three scales: differences run from −top to top. */
export function pairTop(payload: HeadPairPayload): number {
  return niceTop(largestOf(payload));
}

function largestOf(payload: HeadPairPayload): number {
  const { a, b } = readPair(payload);
  let most = 0;
  for (const values of [a, b]) for (const value of values) if (value > most && value < Infinity) most = value;
  return most;
}

/** How far apart two heads are, in words. */
export function pairSummary(payload: HeadPairPayload): string {
  const short = (value: number): string => String(Number(value.toPrecision(3)));
  return `total variation ${short(meanVariation(payload))}, Jensen–Shannon divergence ${short(payload.jensenShannonNats)} nats, means over ${payload.queryTokens.length} queries`;
}

/** A, B and A − B side by side, as SVG; all of one scale, which the bars below state. */
export function drawHeadPair(payload: HeadPairPayload, drawing: PairDrawing): string {
  const { palette, scale, width, ink } = drawing;
  const { title, names, causal, queryTokens, keyTokens, block } = payload;
  const { rows, columns, a, b, difference } = readPair(payload);
  const top = pairTop(payload);
  const look: ShadeLook = { kind: "diverging", scale, top };
  const rowLabels = shownLabels(queryTokens, block);
  const columnLabels = shownLabels(keyTokens, block);
  const widest = (labels: readonly string[]): number => Math.max(...labels.map((label) => textWidth(label, labelSize)));
  const room = (left: number): number => Math.min(largestCell, (width - 2 * margin - left - 2 * gap) / 3 / Math.max(rows, columns)); // prettier-ignore
  const hasLabels = room(widest(rowLabels) + 6) >= 9;
  const left = hasLabels ? widest(rowLabels) + 6 : 0;
  const cell = room(left);
  const panelTop = 66 + (hasLabels ? widest(columnLabels) : 0);
  const panelX = [0, 1, 2].map((at) => margin + left + at * ((width - 2 * margin - left - 2 * gap) / 3 + gap));
  const [panelWidth, panelHeight] = [cell * columns, cell * rows];
  const tokens = { causal, queries: queryTokens.length, keys: keyTokens.length };
  const pictures = [a, b].map((weights) => ({
    indices: paintPattern({ weights, rows, columns, block }, { top, scale }, tokens),
    colours: sheetColours(palette),
  }));
  const signed = Uint8Array.from(difference, (value, at) =>
    causal && isMasked(Math.floor(at / columns), at % columns, block, tokens.queries, tokens.keys)
      ? maskIndex
      : shadeLevel(value, look),
  );
  const names3 = [`A: ${names[0]}`, `B: ${names[1]}`, "A − B"];
  const bottom = panelTop + panelHeight + 14;
  const notes = [
    ...(block > 1
      ? [`each square shows the largest of ${block} × ${block} weights, and their largest difference`]
      : []),
    ...payload.notes,
    ...provenanceNotes(payload),
  ];
  const print = smallPrint(margin, bottom + 58, width - 2 * margin, notes, ink);
  const body = [
    textLine(margin, 22, fitText(title, 13, width - 2 * margin), { size: 13, weight: "bold" }),
    textLine(margin, 38, fitText(pairSummary(payload), 9, width - 2 * margin), { size: 9, fill: ink.quiet }),
    ...[...pictures, { indices: signed, colours: differenceTable() }].flatMap((picture, at) => {
      const place = { x: panelX[at], y: panelTop, width: panelWidth, height: panelHeight };
      const panelRoom = (width - 2 * margin - left - 2 * gap) / 3;
      return [
        textLine(place.x, 56, fitText(names3[at], 10, panelRoom), { size: 10, weight: "bold" }),
        pictureImage(place, { ...picture, width: columns, height: rows }),
        element("rect", { ...place, fill: "none", stroke: ink.line, "stroke-width": 0.5 }),
        ...(hasLabels
          ? columnLabels.map(
              (label, column) =>
              textLine(place.x + (column + 0.5) * cell + 3, panelTop - 4, label, { size: labelSize, fill: ink.quiet, rotate: -90 }), // prettier-ignore
            )
          : []),
      ];
    }),
    ...(hasLabels
      ? rowLabels.map(
          (label, row) =>
          textLine(panelX[0] - 5, panelTop + (row + 0.5) * cell + 3, label, { size: labelSize, fill: ink.quiet, anchor: "end" }), // prettier-ignore
        )
      : []),
    ...weightBar(margin, bottom, width - 2 * margin, { palette, scale, top, ink }, largestOf(payload)),
    ...colourBar(margin, bottom + 28, width - 2 * margin, shadeRamp(look, "A − B"), ink),
    ...print.body,
  ];
  const description = [`${names.join(" and ")}: ${pairSummary(payload)}. Rows are queries, columns are keys`, ...notes].join(". "); // prettier-ignore
  return svgDocument(width, Math.ceil(bottom + 58 + print.height + margin), { title, description }, body, ink);
}

function shownLabels(tokens: readonly string[], block: number): readonly string[] {
  return tokens
    .filter((_, at) => at % block === 0)
    .map((token) => fitText(visibleToken(token), labelSize, longestLabel));
}

function differenceTable(): Uint8Array {
  const rgb = differenceColours(steps);
  const table = new Uint8Array(256 * 4);
  for (let step = 0; step < steps; step++) {
    table.set(rgb.subarray(3 * step, 3 * step + 3), 4 * step);
    table[4 * step + 3] = 255;
  }
  table.set(differenceMask, 4 * maskIndex);
  return table;
}
