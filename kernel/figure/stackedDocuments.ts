import { svgDocument } from "./frame.js";
import { inks, type Ink } from "./inks.js";
import { element, number } from "./svg.js";

/** Width and height of a document that `svgDocument` wrote. */
function sizeOf(svg: string): readonly [number, number] {
  const [, width, height] = /^<svg [^>]*?\bwidth="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return [Number(width), Number(height)];
}

/** Documents one below the other, as one. */
export function stackedDocuments(title: string, documents: readonly string[], ink: Ink = inks.paper): string {
  const sizes = documents.map(sizeOf);
  let y = 0;
  const body = documents.map((svg, i) => {
    const placed = element("g", { transform: `translate(0 ${number(y)})` }, svg);
    y += sizes[i][1];
    return placed;
  });
  const description = `${documents.length} pictures, one below the other; each has a description of its own.`;
  return svgDocument(Math.max(...sizes.map(([width]) => width)), y, { title, description }, body, ink);
}
