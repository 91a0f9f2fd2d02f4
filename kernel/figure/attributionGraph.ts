import type { AttributionGraphPayload } from "../views/index.js";
import { tickText } from "./axis.js";
import { provenanceNotes, smallPrint, svgDocument } from "./frame.js";
import type { Ink } from "./inks.js";
import { element, fitText, number, textLine } from "./svg.js";

const margin = 12;
const labelWidth = 30;
const [thinnest, thickest] = [0.4, 5];
/** Edges that are drawn unless a least weight is given. */
const usual = 100;

/** Below 0 and above: far apart in hue and for any colour vision; those below 0 are dashed as well. */
const signColours = { below: "#2171b5", above: "#d94801" } as const;

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
  readonly height: number;
}

/** Lays a graph out: inputs at the foot, a row for each layer with a column for each head, outputs at the top. */
export function attributionGraphLayout(
  payload: AttributionGraphPayload,
  look: AttributionGraphLook,
): AttributionGraphLayout {
  const { layers, heads, nodes, edges, all } = payload;
  const { width, words = true } = look;
  const { least = Math.abs(edges.weight[Math.min(usual, edges.weight.length) - 1]) } = look;
  const firstBelow = edges.weight.findIndex((weight) => Math.abs(weight) < least);
  const drawn = firstBelow < 0 ? edges.weight.length : firstBelow;
  const weight = edges.weight.slice(0, drawn).reduce((sum, each) => sum + Math.abs(each), 0);
  const top = words ? 34 : 8;
  const pitch = Math.min(56, Math.max(20, 560 / (layers + 2)));
  const left = margin + labelWidth;
  const column = (width - left - margin) / (heads + 1);
  const radius = Math.max(2, Math.min(8, column * 0.3, pitch * 0.24));
  const foot = top + (layers + 1.5) * pitch;
  const shown = new Set([...edges.from.slice(0, drawn), ...edges.to.slice(0, drawn)]);
  const places = nodes.kind.map((kind, at) => {
    const layerY = foot - (nodes.layer[at] + 1) * pitch;
    const headX = left + (nodes.head[at] + 0.5) * column;
    const isShown = shown.has(at);
    switch (kind) {
      case "input":
        return { x: (left + width - margin) / 2, y: foot, isShown };
      case "output":
        return { x: (left + width - margin) / 2, y: foot - (layers + 1) * pitch, isShown };
      case "mlp":
        return { x: left + (heads + 0.5) * column, y: layerY - pitch * 0.3, isShown };
      case "keys":
        return { x: headX, y: layerY + pitch * 0.3, isShown };
      case "head":
        return { x: headX, y: layerY, isShown };
    }
  });
  const share = all.weight > 0 ? Math.min(1, weight / all.weight) : 0;
  return { least, drawn, share, places, radius, height: foot + radius + 12 };
}

/** What is drawn, in words: `98 of 32491 edges, of 0.012 and more: 63 % of the weight of all`. */
export function drawnText(payload: AttributionGraphPayload, { drawn, share, least }: AttributionGraphLayout): string {
  const percent = `${Number((100 * share).toPrecision(3))} %`;
  return `${drawn} of ${payload.all.edges} edges, of ${tickText(least)} and more: ${percent} of the weight of all`;
}

/** A graph as SVG: thickness is the size of a weight, colour and dash its sign. */
export function drawAttributionGraph(payload: AttributionGraphPayload, look: AttributionGraphLook): string {
  const { width, ink, words = true } = look;
  const layout = attributionGraphLayout(payload, look);
  const { nodes, edges, measure, layers } = payload;
  const { places, radius } = layout;
  const signs = "orange is above 0, blue and dashed below";
  const notes = [drawnText(payload, layout), `${measure}: ${signs}`, ...payload.notes, ...provenanceNotes(payload)];
  const print = smallPrint(margin, layout.height + 4, width - 2 * margin, words ? notes : [], ink);
  const body = [
    ...(words
      ? [textLine(margin, 22, fitText(payload.title, 13, width - 2 * margin), { size: 13, weight: "bold" })]
      : []),
    ...layerLabels(layers, layout, words ? 34 : 8, ink),
    // The largest last, on top of the others.
    ...Array.from({ length: layout.drawn }, (_, at) => edgePath(payload, layout, layout.drawn - 1 - at)),
    ...places.flatMap(({ x, y, isShown }, at) => {
      const kind = nodes.kind[at];
      const look = isShown ? { fill: ink.paper ?? "none", stroke: ink.text, "stroke-width": 1 } : { fill: ink.line };
      const size = isShown ? radius : radius * 0.35;
      const shape =
        kind === "head"
          ? element("circle", { class: "node", cx: x, cy: y, r: size, ...look })
          : element("rect", { class: "node", x: x - size, y: y - size, width: 2 * size, height: 2 * size, ...look });
      const name = isShown && (radius >= 4 || edges.from[0] === at || edges.to[0] === at);
      return [shape, ...(name ? [nodeLabel(nodes.name[at], x, y, radius)] : [])];
    }),
    ...print.body,
  ];
  return svgDocument(
    width,
    Math.ceil(layout.height + print.height + (print.height > 0 ? 4 + margin : 0)),
    { title: payload.title, description: notes.join(". ") },
    body,
    ink,
  );
}

const nodeLabel = (name: string, x: number, y: number, radius: number): string =>
  textLine(x, y - radius - 2.5, name, { size: 7.5, anchor: "middle" });

function layerLabels(
  layers: number,
  { height, radius }: AttributionGraphLayout,
  top: number,
  ink: Ink,
): readonly string[] {
  const foot = height - radius - 12;
  const pitch = (foot - top) / (layers + 1.5);
  const step = [1, 2, 5, 10, 20, 50, 100].find((each) => each * pitch >= 11) ?? 200;
  const texts = [["in", 0] as const, ...Array.from({ length: layers }, (_, l) => [`L${l}`, l + 1] as const), ["out", layers + 1] as const]; // prettier-ignore
  return texts
    .filter(([name, row]) => name === "in" || name === "out" || (row - 1) % step === 0)
    .map(([name, row]) => textLine(margin, foot - row * pitch + 3, name, { size: 8.5, fill: ink.quiet }));
}

function edgePath({ edges }: AttributionGraphPayload, { places, radius }: AttributionGraphLayout, at: number): string {
  const [from, to] = [places[edges.from[at]], places[edges.to[at]]];
  const weight = edges.weight[at];
  const share = Math.abs(weight / (edges.weight[0] || 1));
  // Queries are read on the left of a head, keys in the middle, values on the right.
  const aside = ({ q: -0.6, v: 0.6 }[edges.input[at]] ?? 0) * radius;
  return element("path", {
    class: "edge",
    d: `M${number(from.x)} ${number(from.y - radius)}L${number(to.x + aside)} ${number(to.y + radius)}`,
    fill: "none",
    stroke: weight < 0 ? signColours.below : signColours.above,
    "stroke-width": Math.max(thinnest, thickest * share),
    "stroke-dasharray": weight < 0 ? "5 3" : undefined,
  });
}
