import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { createPanelLink } from "../link/panelLink.js";
import { createSelections } from "../link/selections.js";
import { mimeTypes, rank } from "../mime.js";
import { AttentionRenderer } from "../renderer.js";

/** Links the figures of a notebook with its kernel, and with each other. */
export const linkPlugin: JupyterFrontEndPlugin<void> = {
  id: "attention-lab-extension:link",
  description: "Links Attention Lab's figures with the kernel that drew them.",
  autoStart: true,
  optional: [INotebookTracker],
  activate: (_app, notebooks: INotebookTracker | null) => {
    // Comes before the notebook's outputs are drawn.
    notebooks?.widgetAdded.connect((_, panel: NotebookPanel) => {
      const link = createPanelLink(panel.sessionContext);
      const surroundings = { live: link.run, selections: createSelections() };
      panel.content.rendermime.addFactory(
        {
          safe: true,
          mimeTypes,
          createRenderer: (options) => new AttentionRenderer(options, surroundings),
        },
        rank,
      );
      panel.disposed.connect(() => link.dispose());
    });
  },
};
