import { types } from "node:util";
import { escapeHtml } from "./html.js";
import type { Kind } from "./representation.js";

/** Frames of the machinery that runs cells. */
const internalFrame = /^\s+at .*(?:node:inspector|node:internal|node:vm|\/host\/jupyter\/)/;

/** Errors as values, which nobody threw: the message, and the stack behind a fold. */
export const errors: Kind = {
  represent(value, textOf) {
    if (types.isProxy(value) || !(types.isNativeError(value) || value instanceof Error)) return undefined;
    const lines = textOf(value)
      .split("\n")
      .filter((line) => !internalFrame.test(line));
    const text = lines.join("\n");
    if (lines.length === 1) return { "text/plain": text };
    const [title = "", ...rest] = lines;
    return {
      "text/html":
        `<details><summary><b style="color: var(--jp-error-color1)">${escapeHtml(title)}</b></summary>` +
        `<pre>${escapeHtml(rest.join("\n"))}</pre></details>`,
      "text/plain": text,
    };
  },
};
