import type { JupyterFrontEnd } from "@jupyterlab/application";
import { figureClass } from "./actions.js";

/** The figure under the context menu, else the one with the focus, else the first one in sight. */
export function figureOfCommand(app: JupyterFrontEnd): Element | undefined {
  const hit = app.contextMenuHitTest((node) => node.classList.contains(figureClass));
  if (hit?.isConnected) return hit;
  const selector = `.${figureClass}`;
  const focused = document.activeElement?.closest(selector);
  if (focused) return focused;
  return [...document.querySelectorAll(selector)].find((figure) => {
    const { top, bottom, width } = figure.getBoundingClientRect();
    return width > 0 && bottom > 0 && top < window.innerHeight;
  });
}
