import { readPatterns, type HeadGridPayload } from "../views/index.js";
import { visibleToken } from "../views/visibleToken.js";
import { weightBar, provenanceNotes, sheetImage, smallPrint, svgDocument, type FigureLook } from "./frame.js";
import { storageNotes } from "./headGrid.js";
import { drawnPattern, paintPattern } from "./patternPicture.js";
import { element, fitText, textLine, textWidth } from "./svg.js";

const margin = 12;
const headerHeight = 46;
const largestSquare = 26;
const longestLabel = 110;
const narrowest = 380;

/** One head with its tokens on both axes, as a print-quality SVG: rows are queries, columns are keys. */
export function drawOneHead(
  payload: HeadGridPayload,
  sampleIndex: number,
  layer: number,
  head: number,
  look: FigureLook,
  width: number,
): string {
  const sample = payload.samples[sampleIndex];
  const { queryTokens, keyTokens, scalars } = sample;
  const index = layer * payload.heads + head;
  const reader = readPatterns(sample.patterns, payload.heads, scalars.max);
  const pattern = drawnPattern(reader, layer, head, 2 * (width - longestLabel));
  const queryLabels = queryTokens.map((token) => fitText(visibleToken(token), 9, longestLabel));
  const keyLabels = keyTokens.map((token) => fitText(visibleToken(token), 9, longestLabel));
  const labelWidth = Math.max(...queryLabels.map((label) => textWidth(label, 9)), 20) + 6;
  const labelHeight = Math.max(...keyLabels.map((label) => textWidth(label, 9)), 20) + 6;
  const left = margin + labelWidth;
  const top = headerHeight + labelHeight;
  const longest = Math.max(pattern.rows, pattern.columns);
  const square = Math.max(0.5, Math.floor(Math.min(largestSquare, (width - left - margin) / longest) * 2) / 2);
  const pictureWidth = pattern.columns * square;
  const pictureHeight = pattern.rows * square;
  const fullWidth = Math.max(Math.min(narrowest, width), left + pictureWidth + margin);
  const barY = top + pictureHeight + 14;
  const notes = [...storageNotes(pattern.block, reader), ...provenanceNotes(payload)];
  const print = smallPrint(margin, barY + 28, fullWidth - 2 * margin, notes, look.ink);
  const perToken = square / pattern.block;
  const step = Math.max(1, Math.ceil(9 / perToken));
  const numbers = `entropy ${scalars.entropyNats[index].toFixed(2)} nats · first token ${scalars.firstTokenMass[index].toFixed(2)} · largest ${scalars.max[index].toFixed(2)}`;
  const body = [
    textLine(margin, 22, fitText(`${payload.title} · L${layer}.H${head}`, 13, fullWidth - 2 * margin), {
      size: 13,
      weight: "bold",
    }),
    textLine(margin, 37, fitText(numbers, 9, fullWidth - 2 * margin), { size: 9, fill: look.ink.quiet }),
    ...queryLabels.flatMap((label, at) =>
      at % step ? [] : [textLine(left - 6, top + (at + 0.5) * perToken + 3.2, label, { size: 9, anchor: "end" })],
    ),
    ...keyLabels.flatMap((label, at) =>
      at % step ? [] : [textLine(left + (at + 0.5) * perToken + 3.2, top - 6, label, { size: 9, rotate: -90 })],
    ),
    sheetImage(
      { x: left, y: top, width: pictureWidth, height: pictureHeight },
      {
        width: pattern.columns,
        height: pattern.rows,
        indices: paintPattern(pattern, look, {
          causal: payload.causal,
          queries: queryTokens.length,
          keys: keyTokens.length,
        }),
      },
      look.palette,
    ),
    element("rect", {
      x: left,
      y: top,
      width: pictureWidth,
      height: pictureHeight,
      fill: "none",
      stroke: look.ink.line,
      "stroke-width": 0.5,
    }),
    ...weightBar(left, barY, fullWidth - left - margin, look, scalars.max[index]),
    ...print.body,
  ];
  return svgDocument(
    fullWidth,
    Math.ceil(barY + 28 + print.height + margin),
    {
      title: `Attention pattern of head L${layer}.H${head} of ${payload.title}`,
      description: `Rows are queries, columns are keys. ${numbers}. ${notes.join(". ")}`,
    },
    body,
    look.ink,
  );
}
