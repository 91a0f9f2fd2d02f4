import { shades, visibleToken, type ShadeLook } from "attention-lab/figure";
import { handled, ownKeys } from "../a11y/shortcuts.js";
import { element, tokenElement } from "../dom/element.js";
import type { Words } from "../words.js";

/** Tokens that stand in the page at once. */
const pageSize = 4_096;
const leap = 50;

/** The level of a word that a mask hides. */
export const hiddenLevel = -1;

/** A text whose words can be shaded, pointed at and picked, by pointer and by keys. */
export interface TokenText {
  readonly node: HTMLElement;
  /** Sets the text; the same list twice changes nothing. */
  readonly lay: (tokens: readonly string[]) => void;
  /** Shades every word by its level. */
  readonly shade: (kind: ShadeLook["kind"], levels: Int16Array) => void;
  readonly mark: (picked: number | undefined, pointed: number | undefined) => void;
}

/** What a text tells; `keyed` is true where a key led to the word. */
export interface TokenTextEvents {
  readonly label: string;
  readonly words: Words;
  readonly onPoint: (at: number | undefined, keyed: boolean) => void;
  readonly onPick: (at: number) => void;
}

/** An empty text. */
export function createTokenText({ label, words, onPoint, onPick }: TokenTextEvents): TokenText {
  const paper = ownKeys(
    element("div", { class: "jp-AttentionText-paper", tabindex: 0, role: "application", "aria-label": label }),
  );
  const pager = element("div", { class: "jp-AttentionText-pager" });
  const node = element("div", { class: "jp-AttentionText" }, pager, paper);
  let tokens: readonly string[] = [];
  let first = 0;
  let nodes: readonly HTMLElement[] = [];
  let shaded: { readonly kind: ShadeLook["kind"]; readonly levels: Int16Array } | undefined;
  let painted = new Int16Array(0);
  let marks: readonly [number | undefined, number | undefined] = [undefined, undefined];
  let here: number | undefined;

  const nodeAt = (at: number | undefined): HTMLElement | undefined =>
    at === undefined ? undefined : nodes[at - first];

  const paint = (): void => {
    if (!shaded) return;
    const { kind, levels } = shaded;
    const table = shades(kind);
    nodes.forEach((word, place) => {
      const level = levels[first + place] ?? 0;
      if (painted[place] === level) return;
      painted[place] = level;
      const shade = table[level];
      word.classList.toggle("jp-mod-hidden", level === hiddenLevel);
      word.style.backgroundColor = shade?.fill ?? "";
      word.style.color = shade?.ink ?? "";
    });
  };
  const showMarks = (): void => {
    const [picked, pointed] = marks;
    nodeAt(picked)?.classList.add("jp-mod-pinned");
    nodeAt(pointed)?.classList.add("jp-mod-active");
  };
  const turn = (page: number): void => {
    first = page * pageSize;
    nodes = tokens.slice(first, first + pageSize).map((token, place) => {
      const word = tokenElement(visibleToken(token), "jp-AttentionText-token");
      word.dataset["at"] = String(first + place);
      return word;
    });
    painted = new Int16Array(nodes.length).fill(hiddenLevel - 1);
    paper.replaceChildren(
      ...nodes.flatMap((word, place) => (tokens[first + place]?.includes("\n") ? [word, element("br")] : [word])),
    );
    showPager(page);
    paint();
    showMarks();
  };
  const showPager = (page: number): void => {
    const pages = Math.ceil(tokens.length / pageSize);
    pager.hidden = pages < 2;
    if (pages < 2) return;
    const step = (name: string, next: number): HTMLElement => {
      const button = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, name));
      button.disabled = next < 0 || next >= pages;
      button.addEventListener("click", () => turn(next));
      return button;
    };
    const last = Math.min(tokens.length, first + pageSize) - 1;
    pager.replaceChildren(
      step(words.__("Earlier"), page - 1),
      element("span", {}, words.__("tokens %1 … %2 of %3", first, last, tokens.length)),
      step(words.__("Later"), page + 1),
    );
  };
  const go = (at: number): void => {
    const page = Math.floor(at / pageSize);
    if (page * pageSize !== first) turn(page);
    here = at;
    onPoint(at, true);
    nodeAt(at)?.scrollIntoView?.({ block: "nearest" });
  };
  /** The word above or below, at the nearest place in its line. */
  const beside = (from: number, step: 1 | -1): number => {
    const start = nodeAt(from);
    if (!start) return from;
    let best = from;
    let line: number | undefined;
    for (let at = from + step; nodeAt(at); at += step) {
      const { offsetTop, offsetLeft } = nodeAt(at) as HTMLElement;
      if (offsetTop === start.offsetTop) continue;
      if (line !== undefined && offsetTop !== line) break;
      const isNearer =
        Math.abs(offsetLeft - start.offsetLeft) < Math.abs((nodeAt(best)?.offsetLeft ?? 0) - start.offsetLeft);
      if (line === undefined || isNearer) best = at;
      line = offsetTop;
    }
    return best;
  };
  const moved = (key: string, from: number): number | undefined => {
    switch (key) {
      case "ArrowLeft":
        return from - 1;
      case "ArrowRight":
        return from + 1;
      case "ArrowUp":
        return beside(from, -1);
      case "ArrowDown":
        return beside(from, 1);
      case "PageUp":
        return from - leap;
      case "PageDown":
        return from + leap;
      case "Home":
        return 0;
      case "End":
        return tokens.length - 1;
      default:
        return undefined;
    }
  };
  const wordOf = (event: Event): number | undefined => {
    const word = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-at]") : null;
    return word && paper.contains(word) ? Number(word.dataset["at"]) : undefined;
  };
  const point = (at: number | undefined): void => {
    if (at === here) return;
    here = at;
    onPoint(at, false);
  };
  paper.addEventListener("pointermove", (event) => {
    const at = wordOf(event);
    // Between two words nothing changes: the shading would flicker.
    if (at !== undefined) point(at);
  });
  paper.addEventListener("pointerleave", () => point(undefined));
  paper.addEventListener("click", (event) => {
    const at = wordOf(event);
    if (at !== undefined) onPick(at);
  });
  paper.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || tokens.length === 0) return;
    if ((event.key === "Enter" || event.key === " ") && here !== undefined) {
      handled(event);
      return onPick(here);
    }
    const next = moved(event.key, here ?? 0);
    if (next === undefined) return;
    handled(event);
    go(here === undefined ? 0 : Math.min(tokens.length - 1, Math.max(0, next)));
  });

  return {
    node,
    lay(next): void {
      if (next === tokens) return;
      tokens = next;
      here = undefined;
      turn(0);
    },
    shade(kind, levels): void {
      if (shaded?.kind !== kind) painted.fill(hiddenLevel - 1);
      shaded = { kind, levels };
      paint();
    },
    mark(picked, pointed): void {
      nodeAt(marks[0])?.classList.remove("jp-mod-pinned");
      nodeAt(marks[1])?.classList.remove("jp-mod-active");
      marks = [picked, pointed];
      showMarks();
    },
  };
}
