/**
 * A picture that `attention-lab/figure` drew, as a node of this document. Its texts are escaped where they are drawn;
 * the node holds no titles, which browsers would show as tooltips, but is named by them.
 *
 * Throws   Error when the text is not SVG
 */
export function pictureNode(svg: string): SVGSVGElement {
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  if (parsed.nodeName !== "svg") throw new Error("picture: expected SVG");
  const node = document.importNode(parsed, true) as unknown as SVGSVGElement;
  const words = ["title", "desc"].map((name) => {
    const found = [...node.children].find(({ nodeName }) => nodeName === name);
    found?.remove();
    return found?.textContent ?? "";
  });
  node.setAttribute("aria-label", words.filter(Boolean).join(". "));
  return node;
}
