import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { figureActions, figureClass, sendAction, type FigureAction } from "../actions.js";

/** Commands on figures: in the context menu of a figure, and in the palette for the last one used. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: "attention-lab-extension:commands",
  description: "Commands to copy, save and recolour Attention Lab's figures.",
  autoStart: true,
  optional: [ITranslator, ICommandPalette],
  activate: (app, translator: ITranslator | null, palette: ICommandPalette | null) => {
    const words = (translator ?? nullTranslator).load("attention_lab");
    const labels: Readonly<Record<FigureAction, string>> = {
      "copy-png": words.__("Copy Figure as PNG"),
      "copy-svg": words.__("Copy Figure as SVG"),
      "save-png": words.__("Save Figure as PNG…"),
      "save-svg": words.__("Save Figure as SVG…"),
      "next-palette": words.__("Next Palette"),
      "toggle-scale": words.__("Switch Colour Scale"),
      "toggle-table": words.__("View Figure as Table"),
      "all-heads": words.__("Show All Heads"),
    };
    const category = words.__("Attention");
    for (const action of figureActions) {
      const command = `attention:${action}`;
      app.commands.addCommand(command, {
        label: labels[action],
        describedBy: { args: { type: "object", properties: {} } },
        isEnabled: () => figureOfCommand(app) !== undefined,
        execute: () => {
          const figure = figureOfCommand(app);
          if (figure) sendAction(figure, action);
        },
      });
      palette?.addItem({ command, category });
    }
  },
};

/** The figure under the context menu, else the one with the focus, else the first one in sight. */
function figureOfCommand(app: JupyterFrontEnd): Element | undefined {
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
