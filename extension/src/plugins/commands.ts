import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import type { HeadAblation } from "attention-lab/views";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { figureActions, sendAction, sendRequest, type FigureAction } from "../actions.js";
import { figureOfCommand } from "../figureOfCommand.js";

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
      "save-pdf": words.__("Save Figure as PDF…"),
      "save-csv": words.__("Save Numbers as CSV…"),
      "save-json": words.__("Save Numbers as JSON…"),
      "save-npz": words.__("Save Numbers for NumPy…"),
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

    const head = { layer: { type: "integer", minimum: 0 }, head: { type: "integer", minimum: 0 } } as const;
    const index = (value: unknown): number | undefined =>
      typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;
    const place = ({ layer, head }: Readonly<Record<string, unknown>>): { layer?: number; head?: number } => {
      const [inLayer, ofHead] = [index(layer), index(head)];
      return {
        ...(inLayer === undefined ? {} : { layer: inLayer }),
        ...(ofHead === undefined ? {} : { head: ofHead }),
      };
    };
    app.commands.addCommand("attention:show-head", {
      label: words.__("Show Head at Full Size"),
      describedBy: { args: { type: "object", properties: head } },
      isEnabled: () => figureOfCommand(app) !== undefined,
      execute: (args) => {
        const figure = figureOfCommand(app);
        if (figure) sendRequest(figure, { kind: "show-head", ...place(args) });
      },
    });
    palette?.addItem({ command: "attention:show-head", category });

    const modeLabels: Readonly<Record<HeadAblation, string>> = {
      zero: words.__("Ablate Head: Zero Output"),
      mean: words.__("Ablate Head: Mean Output"),
      uniform: words.__("Ablate Head: Even Attention"),
      bos: words.__("Ablate Head: First Token Only"),
      zeroPattern: words.__("Ablate Head: No Attention"),
    };
    const isMode = (mode: unknown): mode is HeadAblation => typeof mode === "string" && Object.hasOwn(modeLabels, mode);
    app.commands.addCommand("attention:ablate-head", {
      label: ({ mode }) => (isMode(mode) ? modeLabels[mode] : words.__("Ablate Head")),
      describedBy: {
        args: {
          type: "object",
          properties: { ...head, mode: { type: "string", enum: Object.keys(modeLabels) } },
        },
      },
      isEnabled: () => figureOfCommand(app) !== undefined,
      execute: (args) => {
        const figure = figureOfCommand(app);
        const { mode } = args;
        if (figure) sendRequest(figure, { kind: "ablate", ...place(args), ...(isMode(mode) ? { mode } : {}) });
      },
    });
    for (const mode of Object.keys(modeLabels)) {
      palette?.addItem({ command: "attention:ablate-head", category, args: { mode } });
    }
  },
};
