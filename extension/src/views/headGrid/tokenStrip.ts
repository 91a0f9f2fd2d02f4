import { visibleToken } from "attention-lab/figure";
import { element, tokenElement } from "../../dom/element.js";
import { tokenSpan } from "./model.js";

const lineHeight = 13;

/** The tokens along one side of a matrix, as text that can be selected. */
export interface TokenStrip {
  readonly node: HTMLElement;
  /** Lays the tokens out over `length` CSS pixels; `first` is the place of the first of them in the text. */
  readonly lay: (tokens: readonly string[], length: number, block: number, first?: number) => void;
  /** Marks the tokens of one row or column that is shown. */
  readonly mark: (at: number | undefined) => void;
}

/** Characters of the longest token, counted once: every frame asks. */
const longestOf = new WeakMap<readonly string[], number>();

/** CSS pixels that the labels of these tokens need; a block is labelled with its first and last token. */
export function stripWidth(tokens: readonly string[], block: number): number {
  const longest =
    longestOf.get(tokens) ?? tokens.reduce((most, token) => Math.max(most, visibleToken(token).length), 2);
  longestOf.set(tokens, longest);
  return Math.min(132, Math.max(46, Math.round((block > 1 ? 2 * longest + 3 : longest) * 6.7) + 12));
}

/** An empty strip: `queries` runs down the left side, `keys` along the top; `onPick` hears the token that is clicked. */
export function createTokenStrip(axis: "queries" | "keys", label: string, onPick: (at: number) => void): TokenStrip {
  const node = element("div", { class: `jp-AttentionTokens jp-mod-${axis}`, role: "group", "aria-label": label });
  const active = element("div", { class: "jp-AttentionTokens-token jp-mod-active" });
  active.hidden = true;
  let tokens: readonly string[] = [];
  let perToken = 0;
  let block = 1;
  let origin = 0;
  node.addEventListener("click", (event) => {
    const { left, top } = node.getBoundingClientRect();
    const along = axis === "queries" ? event.clientY - top : event.clientX - left;
    if (perToken > 0) onPick(origin + Math.min(tokens.length - 1, Math.max(0, Math.floor(along / perToken))));
  });
  const place = (label: HTMLElement, centre: number): void => {
    label.style.setProperty(axis === "queries" ? "top" : "left", `${centre - lineHeight / 2}px`);
  };
  return {
    node,
    lay(nextTokens, length, nextBlock, first = 0): void {
      const next = length / nextTokens.length;
      origin = first;
      if (nextTokens === tokens && next === perToken && nextBlock === block) return;
      tokens = nextTokens;
      block = nextBlock;
      perToken = next;
      const step = Math.max(1, Math.ceil(lineHeight / perToken));
      const labels = tokens.flatMap((token, index) => {
        if (index % step) return [];
        const item = element(
          "div",
          { class: "jp-AttentionTokens-token" },
          tokenElement(visibleToken(token), "jp-AttentionTokens-text"),
        );
        place(item, (index + 0.5) * perToken);
        return [item];
      });
      node.replaceChildren(...labels, active);
      node.style.setProperty("--jp-attention-strip", `${stripWidth(tokens, block)}px`);
    },
    mark(at): void {
      active.hidden = at === undefined;
      if (at === undefined) return;
      active.replaceChildren(tokenElement(tokenSpan(tokens, at, block), "jp-AttentionTokens-text"));
      place(active, Math.min(at * block + block / 2, tokens.length - 0.5) * perToken);
    },
  };
}
