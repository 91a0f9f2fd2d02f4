import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import type { NotebookPanel } from "@jupyterlab/notebook";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";

/** What a new notebook begins with. */
const firstCell = `import { load } from "attention-lab";

const model = await load("all-MiniLM-L6-v2"); // a folder in Hugging Face layout, or a hub id
const run = await model.run("The cat sat on the mat because it was warm.");
run;`;

/** A card that opens a notebook which shows the heads of a model. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: "attention-lab-extension:launcher",
  description: "Opens a notebook that shows the heads of a model.",
  autoStart: true,
  optional: [ITranslator, ICommandPalette, ILauncher],
  activate: (app, translator: ITranslator | null, palette: ICommandPalette | null, launcher: ILauncher | null) => {
    const words = (translator ?? nullTranslator).load("attention_lab");
    const category = words.__("Attention");
    const command = "attention:new-notebook";
    app.commands.addCommand(command, {
      label: words.__("Heads of a Model"),
      caption: words.__("A notebook that loads a model and shows its attention heads"),
      iconClass: "jp-AttentionIcon",
      describedBy: { args: { type: "object", properties: { cwd: { type: "string" } } } },
      isEnabled: () => app.commands.hasCommand("notebook:create-new"),
      execute: async ({ cwd }) => {
        const create = { kernelName: "attention-lab", ...(typeof cwd === "string" ? { cwd } : {}) };
        const panel = (await app.commands.execute("notebook:create-new", create)) as NotebookPanel;
        await panel.context.ready;
        panel.content.widgets[0]?.model.sharedModel.setSource(firstCell);
        return panel;
      },
    });
    palette?.addItem({ command, category });
    launcher?.add({ command, category, rank: 0 });
  },
};
