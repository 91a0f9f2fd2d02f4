/** An element of a drawn picture. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlNode[];
  readonly text: string;
}

const entities: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };

const unescape = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot);/g, (entity) => entities[entity] ?? entity);

/**
 * The elements of an SVG text that this folder's drawers wrote: no comments, declarations or foreign entities.
 *
 * Throws   SyntaxError where an element does not end
 */
export function parseDrawing(svg: string): XmlNode {
  interface Open {
    name: string;
    attributes: Record<string, string>;
    children: Open[];
    text: string;
  }
  const root: Open = { name: "", attributes: {}, children: [], text: "" };
  const open: Open[] = [root];
  for (const [, closing, name, written, single, text] of svg.matchAll(
    /<(\/?)([A-Za-z]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>|([^<]+)/g,
  )) {
    const parent = open[open.length - 1];
    if (text !== undefined) parent.text += unescape(text);
    else if (closing) open.pop();
    else {
      const attributes: Record<string, string> = {};
      for (const [, key, value] of (written ?? "").matchAll(/([\w:-]+)="([^"]*)"/g)) attributes[key] = unescape(value);
      const node: Open = { name, attributes, children: [], text: "" };
      parent.children.push(node);
      if (!single) open.push(node);
    }
  }
  const [drawing] = root.children;
  if (open.length !== 1 || drawing?.name !== "svg") throw new SyntaxError("pdf: expected one whole <svg> element");
  return drawing;
}
