import type { Words } from "../words.js";

/** A drawn payload. */
export interface View {
  readonly node: HTMLElement;
  /** Draws at the size that the node has now; nothing while it has none. */
  readonly draw: () => void;
  /** Takes the node away and releases everything. */
  readonly dispose: () => void;
}

/** What a view gets from its surroundings. */
export interface ViewContext {
  readonly words: Words;
}
