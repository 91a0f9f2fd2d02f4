import { scalePosition, visibleToken, type ScaleName } from "attention-lab/figure";
import { largestKeys } from "attention-lab/views";
import { element, tokenElement } from "../dom/element.js";
import type { Words } from "../words.js";
import type { Along, LineSource, ShownLine } from "./lineSource.js";

/** Words that stand in a column at most. */
const most = 40;
const rowHeight = 19;
const gapWidth = 160;
const svgSpace = "http://www.w3.org/2000/svg";

/** Two columns of words with lines between them, for one selected word: queries left, keys right. */
export interface LinePlot {
  readonly node: HTMLElement;
  readonly draw: (source: LineSource, along: Along, at: number, line: ShownLine, scale: ScaleName) => void;
  /** Shows nothing. */
  readonly clear: () => void;
}

/** An empty plot; `onPick` hears the word of the selected side that was clicked. */
export function createLinePlot(words: Words, onPick: (at: number) => void): LinePlot {
  const left = element("div", { class: "jp-AttentionLines-words jp-mod-queries" });
  const right = element("div", { class: "jp-AttentionLines-words jp-mod-keys" });
  const lines = document.createElementNS(svgSpace, "svg");
  lines.setAttribute("width", String(gapWidth));
  lines.setAttribute("aria-hidden", "true");
  const note = element("p", { class: "jp-AttentionFigure-note" });
  const columns = element("div", { class: "jp-AttentionLines-columns" }, left, lines, right);
  const node = element("div", { class: "jp-AttentionLines", role: "img" }, columns, note);
  node.addEventListener("click", (event) => {
    const word = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-pick]") : null;
    if (word) onPick(Number(word.dataset["pick"]));
  });
  return {
    node,
    clear: () => void (node.hidden = true),
    draw(source, along, at, { weights, drawn, mass }, scale): void {
      node.hidden = false;
      const isQuery = along === "query";
      const [own, others] = isQuery ? [source.queries, source.keys] : [source.keys, source.queries];
      const shown = largestKeys(weights, most).filter((place) => (weights[place] ?? 0) > 0);
      const nearby = nearbyPlaces(own.length, at);
      const ownColumn = nearby.map((place) => wordRow(own, place, place === at, true));
      const otherColumn = shown.map((place) => wordRow(others, place, false, false));
      const height = Math.max(nearby.length, shown.length) * rowHeight;
      (isQuery ? left : right).replaceChildren(...ownColumn);
      (isQuery ? right : left).replaceChildren(...otherColumn);
      lines.setAttribute("height", String(height));
      const middle = (row: number): number => (row + 0.5) * rowHeight;
      const from = middle(nearby.indexOf(at));
      lines.replaceChildren(
        ...shown.map((place, row) => {
          const share = scalePosition(weights[place] ?? 0, source.top, scale);
          const [x1, x2] = isQuery ? [0, gapWidth] : [gapWidth, 0];
          const path = document.createElementNS(svgSpace, "path");
          const bend = gapWidth / 2;
          path.setAttribute("d", `M${x1} ${from}C${bend} ${from} ${bend} ${middle(row)} ${x2} ${middle(row)}`);
          path.setAttribute("opacity", share.toFixed(3));
          path.setAttribute("stroke-width", (1 + 2 * share).toFixed(2));
          return path;
        }),
      );
      const held = shown.reduce((sum, place) => sum + (weights[place] ?? 0), 0);
      const total = mass ?? drawn;
      note.textContent =
        words.__("Lines to %1 of %2 tokens hold %3 of %4", shown.length, others.length, held.toPrecision(3), total.toPrecision(3)) + // prettier-ignore
        ".";
      const side = isQuery ? words.__("where %1 looks", own[at] ?? "") : words.__("who looks at %1", own[at] ?? "");
      node.setAttribute("aria-label", `${side}. ${note.textContent}`);
    },
  };
}

/** Places around one, as many as stand in a column. */
function nearbyPlaces(count: number, at: number): readonly number[] {
  const first = Math.max(0, Math.min(at - most / 2, count - most));
  return Array.from({ length: Math.min(most, count) }, (_, row) => first + row);
}

function wordRow(tokens: readonly string[], place: number, isSelected: boolean, canPick: boolean): HTMLElement {
  return element(
    "div",
    {
      class: `jp-AttentionLines-word${isSelected ? " jp-mod-selected" : ""}`,
      ...(canPick ? { "data-pick": place } : {}),
    },
    tokenElement(visibleToken(tokens[place] ?? ""), "jp-AttentionLines-token"),
    element("span", { class: "jp-AttentionLines-place" }, String(place)),
  );
}
