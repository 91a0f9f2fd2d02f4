import {
  diagramParts,
  isOnStream,
  type DiagramActivation,
  type DiagramLevel,
  type ModelDiagramPayload,
} from "../views/index.js";
import { provenanceNotes, smallPrint, svgDocument } from "./frame.js";
import type { Ink } from "./inks.js";
import { element, fitText, number, textLine, textWidth, wrapText } from "./svg.js";

const margin = 12;
const row = 14;
const size = 9;
/** Where the residual stream runs, where blocks and their parts begin. */
const [streamX, blockX, partX] = [margin + 8, margin, margin + 34];

/** How a model's diagram is drawn. */
export interface ModelDiagramLook {
  readonly width: number;
  readonly ink: Ink;
}

/** A model from its inputs down to its outputs: the residual stream, blocks that are alike once, the parts that read it and add to it. */
export function drawModelDiagram(payload: ModelDiagramPayload, { width, ink }: ModelDiagramLook): string {
  const { title, sizes, levels, notes } = payload;
  const inner = width - 2 * margin;
  const lines = sizes.flatMap((text) => wrapText(text, size, inner, 3));
  const body: string[] = [
    textLine(margin, 22, fitText(title, 13, inner), { size: 13, weight: "bold" }),
    ...lines.map((line, at) => textLine(margin, 38 + at * 12, line, { size, fill: ink.quiet })),
  ];
  const top = 38 + lines.length * 12;
  let y = top;
  const drawn: string[] = [];
  /** Encoder and decoder, text and vision have streams of their own. */
  const streams: { readonly name: string; readonly top: number; bottom: number }[] = [];
  for (const level of levels.flatMap(byStream)) {
    const name = streamOf(level) ?? streams.at(-1)?.name ?? "";
    if (streams.at(-1)?.name !== name) {
      if (streams.length > 0) y += 14;
      streams.push({ name, top: y, bottom: y });
    }
    const made = drawLevel(level, y, width, ink);
    drawn.push(...made.body);
    y += made.height;
    streams[streams.length - 1].bottom = y;
  }
  const print = smallPrint(margin, y + 16, inner, [...notes, ...provenanceNotes(payload)], ink);
  body.push(...streams.flatMap((ends) => streamPath(ends, ink)), ...drawn, ...print.body);
  return svgDocument(
    width,
    Math.ceil(y + 16 + print.height + margin),
    { title: `Architecture of ${title}`, description: [...sizes, ...notes].join(". ") },
    body,
    ink,
  );
}

/** What stands before the last name of the first address: `encoder` of `encoder.embed` and `encoder.blocks`; undefined without. */
function streamOf({ path, activations }: DiagramLevel): string | undefined {
  return /^(.+?)\./.exec(path === "" ? activations[0].address : `${path}.`.replace(/^blocks\./, ""))?.[1];
}

/** A level outside of layers, cut where another stream begins. */
function byStream(level: DiagramLevel): readonly DiagramLevel[] {
  if (level.path !== "") return [level];
  return level.activations.map((activation) => ({ ...level, activations: [activation] }));
}

function streamPath({ top, bottom }: { readonly top: number; readonly bottom: number }, ink: Ink): readonly string[] {
  return [
    element("path", {
      d: `M${streamX} ${number(top)}V${number(bottom)}`,
      fill: "none",
      stroke: ink.line,
      "stroke-width": 3,
    }),
    element("path", { d: `M${streamX - 5} ${number(bottom)}h10L${streamX} ${number(bottom + 7)}z`, fill: ink.line }),
  ];
}

interface Drawn {
  readonly body: readonly string[];
  readonly height: number;
}

function drawLevel(level: DiagramLevel, top: number, width: number, ink: Ink): Drawn {
  const isBlock = level.path !== "";
  const right = width - margin;
  const body: string[] = [];
  let y = top + (isBlock ? 6 : 0);
  if (isBlock) {
    const times = level.layers > 1 ? `${level.path} × ${level.layers}` : level.path;
    body.push(textLine(partX, y + 12, fitText(times, 10, right - partX - 8), { size: 10, weight: "bold" }));
    y += 18;
  }
  for (const run of diagramParts(level.activations)) {
    const made = run[0].part === "" ? onStream(run, y, right, ink) : inPart(run, y, right - (isBlock ? 8 : 0), ink);
    body.push(...made.body);
    y += made.height;
  }
  if (!isBlock) return { body, height: y - top };
  y += 4;
  const box = { x: blockX, y: top + 6, width: right - blockX, height: y - top - 6 };
  const frame = element("rect", {
    ...box,
    fill: "none",
    stroke: ink.quiet,
    "stroke-width": 0.8,
    "stroke-dasharray": "4 3",
  });
  return { body: [frame, ...body], height: y - top + 4 };
}

/** What lies on the stream itself: a dot for each. */
function onStream(run: readonly DiagramActivation[], top: number, right: number, ink: Ink): Drawn {
  const body = run.flatMap((activation, at) => {
    const y = top + (at + 0.5) * row;
    return [
      ...(isOnStream(activation) ? [element("circle", { cx: streamX, cy: y, r: 3, fill: ink.text })] : []),
      ...rowTexts(activation, partX, y, right - 8, ink),
    ];
  });
  return { body, height: run.length * row };
}

/** A part that reads the stream and adds to it. */
function inPart(run: readonly DiagramActivation[], top: number, right: number, ink: Ink): Drawn {
  const height = 16 + run.length * row + 4;
  const [read, written] = [top + 10, top + height - 6];
  const arrow = { fill: "none", stroke: ink.quiet, "stroke-width": 0.8 };
  const body = [
    element("path", { d: `M${streamX} ${number(read)}H${partX - 5}`, ...arrow }),
    element("path", {
      d: `M${partX - 5} ${number(read - 3)}L${partX} ${number(read)}L${partX - 5} ${number(read + 3)}z`,
      fill: ink.quiet,
    }),
    element("path", { d: `M${partX} ${number(written)}H${streamX + 7}`, ...arrow }),
    element("circle", {
      cx: streamX,
      cy: written,
      r: 5,
      fill: ink.paper ?? "none",
      stroke: ink.quiet,
      "stroke-width": 0.8,
    }),
    element("path", {
      d: `M${streamX - 3} ${number(written)}h6M${streamX} ${number(written - 3)}V${number(written + 3)}`,
      ...arrow,
    }),
    element("rect", {
      x: partX,
      y: top + 2,
      width: right - partX,
      height: height - 4,
      fill: "none",
      stroke: ink.quiet,
      "stroke-width": 0.8,
    }),
    textLine(partX + 8, top + 13, run[0].part, { size, weight: "bold" }),
    ...run.flatMap((activation, at) => rowTexts(activation, partX + 8, top + 16 + (at + 0.5) * row, right - 8, ink)),
  ];
  return { body, height };
}

/** A name on the left, a shape on the right, as much of either as fits. */
function rowTexts(
  { name, shape, only }: DiagramActivation,
  x: number,
  y: number,
  right: number,
  ink: Ink,
): readonly string[] {
  const text = `${only ? `layers ${layersText(only)} ` : ""}[${shape.join(", ")}]`;
  const shown = fitText(text, size - 0.5, (right - x) * 0.65);
  const room = right - x - textWidth(shown, size - 0.5) - 8;
  return [
    textLine(x, y + 3, fitText(name, size, room), { size }),
    textLine(right, y + 3, shown, { size: size - 0.5, fill: ink.quiet, anchor: "end" }),
  ];
}

/** `0, 2, 4`, at most six of them. */
function layersText(layers: readonly number[]): string {
  return layers.length > 6 ? `${layers.slice(0, 6).join(", ")}, …` : layers.join(", ");
}
