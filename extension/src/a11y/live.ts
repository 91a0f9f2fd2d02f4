import { element } from "../dom/element.js";

/** A polite live region: what a screen reader is to say about a pin or a result. */
export interface Live {
  readonly node: HTMLElement;
  readonly say: (text: string) => void;
}

/** An empty live region. */
export function createLive(): Live {
  const node = element("div", { class: "jp-AttentionLive", "aria-live": "polite", role: "status" });
  return {
    node,
    say: (text) => {
      node.textContent = text;
    },
  };
}
