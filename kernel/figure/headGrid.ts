import {
  modelSizeText,
  readPatterns,
  sampleSizeText,
  type HeadGridPayload,
  type HeadGridSample,
  type PatternReader,
} from "../views/index.js";
import {
  weightBar,
  largestWeight,
  provenanceNotes,
  sheetImage,
  smallPrint,
  svgDocument,
  type FigureLook,
} from "./frame.js";
import { drawnPattern, emptySheet, paintPattern } from "./patternPicture.js";
import { element, fitText, number, textLine } from "./svg.js";

const margin = 12;
const rowLabelWidth = 26;
const headerHeight = 50;
const columnLabelHeight = 14;
const largestCell = 150;
const narrowest = 380;

/** Sizes of a grid of heads: every head is `columns` × `rows` squares of side `unit`, `gap` squares apart. */
interface GridLayout {
  readonly longest: number;
  readonly unit: number;
  readonly gap: number;
}

/**
 * The head grid as a print-quality SVG: layers as rows, heads as columns, one sample.
 *
 * Units    user units are px at 96 per inch; `width` bounds the picture
 */
export function drawHeadGrid(payload: HeadGridPayload, sampleIndex: number, look: FigureLook, width: number): string {
  const sample = payload.samples[sampleIndex];
  const reader = readPatterns(sample.patterns, payload.heads, sample.scalars.max);
  const { longest, unit, gap } = layoutFor(payload.heads, reader, width - 2 * margin - rowLabelWidth);
  const first = drawnPattern(reader, 0, 0, longest);
  const sheetWidth = payload.heads * (first.columns + gap) - gap;
  const sheetHeight = payload.layers * (first.rows + gap) - gap;
  const left = margin + rowLabelWidth;
  const top = headerHeight + columnLabelHeight;
  const gridWidth = sheetWidth * unit;
  const gridHeight = sheetHeight * unit;
  const fullWidth = Math.max(Math.min(narrowest, width), left + gridWidth + margin);
  const pitchX = (first.columns + gap) * unit;
  const pitchY = (first.rows + gap) * unit;
  const barY = top + gridHeight + 14;
  const notes = [...storageNotes(first.block, reader), ...provenanceNotes(payload)];
  const print = smallPrint(margin, barY + 28, fullWidth - 2 * margin, notes, look.ink);
  const size = `${modelSizeText(payload)} · ${sampleSizeText(sample)}`;
  const body = [
    textLine(margin, 22, fitText(payload.title, 13, fullWidth - 2 * margin), { size: 13, weight: "bold" }),
    textLine(
      margin,
      38,
      fitText(`${size}${sample.text ? ` · “${sample.text.replace(/\s+/g, " ")}”` : ""}`, 9.5, fullWidth - 2 * margin),
      {
        size: 9.5,
        fill: look.ink.quiet,
      },
    ),
    ...axisLabels(payload.heads, pitchX, "H").map(({ at, label }) =>
      textLine(left + at * pitchX + (first.columns * unit) / 2, top - 4, label, {
        size: 8.5,
        fill: look.ink.quiet,
        anchor: "middle",
      }),
    ),
    ...axisLabels(payload.layers, pitchY * 1.6, "L").map(({ at, label }) =>
      textLine(left - 6, top + at * pitchY + (first.rows * unit) / 2 + 3, label, {
        size: 8.5,
        fill: look.ink.quiet,
        anchor: "end",
      }),
    ),
    sheetImage(
      { x: left, y: top, width: gridWidth, height: gridHeight },
      { width: sheetWidth, height: sheetHeight, indices: paintGrid(payload, sample, reader, look, longest, gap) },
      look.palette,
    ),
    ...(look.palette === "greys" || payload.causal
      ? [cellFrames(payload, left, top, pitchX, pitchY, first.columns * unit, first.rows * unit, look.ink.line)]
      : []),
    ...weightBar(left, barY, fullWidth - left - margin, look, largestWeight(payload)),
    ...print.body,
  ];
  return svgDocument(
    fullWidth,
    Math.ceil(barY + 28 + print.height + margin),
    {
      title: `Attention patterns of ${payload.title}`,
      description:
        `${size}. Rows are layers, columns are heads, both zero-based; in each head, rows are queries and columns are keys. ` +
        [sample.text ? `Text: ${sample.text}` : "", ...notes].filter(Boolean).join(". "),
    },
    body,
    look.ink,
  );
}

/** The largest squares, in half pixels so that twice the size is whole, with which all heads fit into `width`. */
function layoutFor(heads: number, reader: PatternReader, width: number): GridLayout {
  const longestSide = Math.max(reader.rows, reader.columns);
  for (let block = 1; block <= longestSide; block++) {
    const longest = Math.ceil(longestSide / block);
    const columns = Math.ceil(reader.columns / Math.ceil(longestSide / longest));
    for (let unit = Math.floor((2 * largestCell) / longest) / 2; unit >= 0.5; unit -= 0.5) {
      const gap = Math.max(1, Math.round(4 / unit));
      if (heads * (columns + gap) * unit <= width + gap * unit) return { longest, unit, gap };
    }
  }
  return { longest: 1, unit: width / (2 * heads), gap: 1 };
}

function paintGrid(
  payload: HeadGridPayload,
  sample: HeadGridSample,
  reader: PatternReader,
  look: FigureLook,
  longest: number,
  gap: number,
): Uint8Array {
  const tokens = { causal: payload.causal, queries: sample.queryTokens.length, keys: sample.keyTokens.length };
  const { rows, columns } = drawnPattern(reader, 0, 0, longest);
  const width = payload.heads * (columns + gap) - gap;
  const sheet = emptySheet(width, payload.layers * (rows + gap) - gap);
  for (let layer = 0; layer < payload.layers; layer++) {
    for (let head = 0; head < payload.heads; head++) {
      const indices = paintPattern(drawnPattern(reader, layer, head, longest), look, tokens);
      for (let row = 0; row < rows; row++) {
        const line = indices.subarray(row * columns, (row + 1) * columns);
        sheet.set(line, (layer * (rows + gap) + row) * width + head * (columns + gap));
      }
    }
  }
  return sheet;
}

/** Hairlines around every head, so that a white or masked square still shows where the head is. */
function cellFrames(
  payload: HeadGridPayload,
  left: number,
  top: number,
  pitchX: number,
  pitchY: number,
  width: number,
  height: number,
  stroke: string,
): string {
  const path: string[] = [];
  for (let layer = 0; layer < payload.layers; layer++) {
    for (let head = 0; head < payload.heads; head++) {
      path.push(
        `M${number(left + head * pitchX)} ${number(top + layer * pitchY)}h${number(width)}v${number(height)}h${number(-width)}z`,
      );
    }
  }
  return element("path", { d: path.join(""), fill: "none", stroke, "stroke-width": 0.5 });
}

/** Labels of an axis: every one where there is room, else every 2nd, 5th, 10th, … */
function axisLabels(count: number, pitch: number, letter: string): readonly { at: number; label: string }[] {
  const step = [1, 2, 5, 10, 20, 50, 100].find((candidate) => candidate * pitch >= 22) ?? 100;
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => ({
    at: index * step,
    label: `${letter}${index * step}`,
  }));
}

/** Says what is not exact about the picture. */
export function storageNotes(block: number, reader: PatternReader): readonly string[] {
  return [
    ...(block > 1 ? [`each square shows the largest of ${block} × ${block} weights`] : []),
    ...(reader.codec === "sqrt8" ? ["weights stored in 8 bits"] : []),
  ];
}
