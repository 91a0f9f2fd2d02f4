import { visibleToken } from "attention-lab/figure";
import { largestKeys } from "attention-lab/views";
import { ownKeys } from "../../a11y/shortcuts.js";
import { element, tokenElement } from "../../dom/element.js";
import type { LineSource } from "../../text/lineSource.js";
import type { Words } from "../../words.js";
import type { HeadGridStore } from "./state.js";

const shown = 16;

/** The strongest weights of the row or the column that is locked, as bars. */
export interface LockPane {
  readonly node: HTMLElement;
  readonly draw: (source: LineSource | undefined) => void;
}

/** An empty pane; it shows what `store` has locked. */
export function createLockPane(store: HeadGridStore, words: Words): LockPane {
  const heading = element("span", { class: "jp-AttentionLock-heading" });
  const turn = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, words.__("Other direction")));
  const free = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, words.__("Unlock")));
  const bars = element("ol", { class: "jp-AttentionLock-bars" });
  const note = element("p", { class: "jp-AttentionFigure-note" });
  const header = element("div", { class: "jp-AttentionLock-header" }, heading, turn, free);
  const node = element("section", { class: "jp-AttentionLock", "aria-label": words.__("Locked token") }, header, bars, note); // prettier-ignore
  node.hidden = true;
  turn.addEventListener("click", () => {
    const { locked } = store.state;
    if (locked) store.set({ locked: { at: locked.at, along: locked.along === "query" ? "key" : "query" } });
  });
  free.addEventListener("click", () => store.set({ locked: undefined }));
  return {
    node,
    draw(source): void {
      const { locked } = store.state;
      node.hidden = !locked || !source;
      if (!locked || !source) return;
      const { along, at } = locked;
      const [own, others] = along === "query" ? [source.queries, source.keys] : [source.keys, source.queries];
      // Only a text that looks at itself has the token on the other side as well.
      turn.hidden = own !== others;
      const { weights, drawn, mass, format, note: rounding } = source.line(along, at);
      heading.replaceChildren(
        tokenElement(`"${visibleToken(own[at] ?? "")}"`, "jp-AttentionReading-token"),
        ` ${at} `,
        along === "query" ? words.__("looks at") : words.__("is looked at by"),
      );
      const order = [...largestKeys(weights, shown)].sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
      const largest = weights[order[0] ?? 0] ?? 0;
      bars.replaceChildren(
        ...order.map((place) => {
          const weight = weights[place] ?? 0;
          const bar = element("span", { class: "jp-AttentionLock-bar", "aria-hidden": "true" });
          bar.style.width = `${largest > 0 ? (100 * weight) / largest : 0}%`;
          return element(
            "li",
            {},
            element("span", { class: "jp-AttentionLock-token" }, tokenElement(visibleToken(others[place] ?? ""), "jp-AttentionReading-token"), ` ${place}`), // prettier-ignore
            element("span", { class: "jp-AttentionLock-track" }, bar),
            element("span", { class: "jp-AttentionReading-weight" }, format(weight)),
          );
        }),
      );
      const held = order.reduce((sum, place) => sum + (weights[place] ?? 0), 0);
      note.textContent = [
        words.__("%1 of %2 tokens hold %3 of %4", order.length, others.length, held.toPrecision(3), (mass ?? drawn).toPrecision(3)), // prettier-ignore
        ...(rounding === undefined ? [] : [rounding]),
      ].join(" · ");
    },
  };
}
