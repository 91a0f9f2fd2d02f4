import type { AttributionGraphPayload } from "../views/index.js";
import {
  attributionGraphLayout,
  labelSize,
  margin,
  type AttributionGraphLayout,
  type AttributionGraphLook,
} from "./attributionGraphLayout.js";
import { tickText } from "./axis.js";
import { provenanceNotes, smallPrint, svgDocument } from "./frame.js";
import type { Ink } from "./inks.js";
import { element, fitText, number, textLine, textWidth } from "./svg.js";

const [thinnest, thickest] = [0.4, 5];

/** Below 0 and above: far apart in hue and for any colour vision; those below 0 are dashed as well. */
const signColours = { below: "#2171b5", above: "#d94801" } as const;

/** What is drawn, in words: `98 of 32491 edges, of 0.012 and more: 63 % of the weight of all`. */
export function drawnText(payload: AttributionGraphPayload, { drawn, share, least }: AttributionGraphLayout): string {
  const percent = `${Number((100 * share).toPrecision(3))} %`;
  return `${drawn} of ${payload.all.edges} edges, of ${tickText(least)} and more: ${percent} of the weight of all`;
}

/** A graph as SVG: thickness is the size of a weight, colour and dash its sign. */
export function drawAttributionGraph(payload: AttributionGraphPayload, look: AttributionGraphLook): string {
  const { width, ink, words = true } = look;
  const layout = attributionGraphLayout(payload, look);
  const { nodes, measure, layers } = payload;
  const { places, radius, columns, foot } = layout;
  const signs = "orange is above 0, blue and dashed below";
  const notes = [drawnText(payload, layout), `${measure}: ${signs}`, ...payload.notes, ...provenanceNotes(payload)];
  const print = smallPrint(margin, layout.height + 4, width - 2 * margin, words ? notes : [], ink);
  const body = [
    ...(words
      ? [textLine(margin, 22, fitText(payload.title, 13, width - 2 * margin), { size: 13, weight: "bold" })]
      : []),
    ...layerLabels(layers, layout, ink),
    ...columns.map(({ x, label }) =>
      layout.upright
        ? textLine(x + 2.5, foot + radius + 5, label, { size: labelSize, fill: ink.quiet, anchor: "end", rotate: -90 })
        : textLine(x, foot + radius + 13, label, { size: labelSize, fill: ink.quiet, anchor: "middle" }),
    ),
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
      return [shape, ...(isShown ? nodeLabel(payload, layout, at) : [])];
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

/** The name right of its node, above it where that is all the room there is, or none: names touch no other node. */
function nodeLabel(
  { nodes, edges }: AttributionGraphPayload,
  layout: AttributionGraphLayout,
  at: number,
): readonly string[] {
  const { places, radius, room } = layout;
  const { x, y } = places[at];
  const name = nodes.name[at].replace(/ @\d+$/, "");
  const width = textWidth(name, labelSize);
  const isAlone = nodes.kind[at] !== "head" && nodes.kind[at] !== "keys";
  if (isAlone || radius + 2 + width < room - radius)
    return [textLine(x + radius + 2, y + 2.5, name, { size: labelSize })];
  const isNamed = width + 2 < room || edges.from[0] === at || edges.to[0] === at;
  return isNamed ? [textLine(x, y - radius - 2.5, name, { size: labelSize, anchor: "middle" })] : [];
}

function layerLabels(layers: number, { foot, pitch }: AttributionGraphLayout, ink: Ink): readonly string[] {
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
