/** Attributes of a new element; `class` is added to, `data-…` and `aria-…` are set as they are. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A new element with attributes and children; text children become text nodes, so nothing is ever parsed as markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/** A token as data in running text: isolated from the direction of the words around it. */
export function tokenElement(shown: string, className: string): HTMLElement {
  return element("bdi", { class: className }, shown);
}

const svgSpace = "http://www.w3.org/2000/svg";

/** A 16 × 16 line icon from SVG path data, drawn in the text colour. */
export function icon(...paths: readonly string[]): SVGSVGElement {
  const node = document.createElementNS(svgSpace, "svg");
  node.setAttribute("viewBox", "0 0 16 16");
  node.setAttribute("width", "16");
  node.setAttribute("height", "16");
  node.setAttribute("aria-hidden", "true");
  for (const data of paths) {
    const path = document.createElementNS(svgSpace, "path");
    path.setAttribute("d", data);
    path.setAttribute("fill", "none");
    path.setAttribute("stroke", "currentColor");
    path.setAttribute("stroke-width", "1.4");
    path.setAttribute("stroke-linecap", "round");
    path.setAttribute("stroke-linejoin", "round");
    node.append(path);
  }
  return node;
}
