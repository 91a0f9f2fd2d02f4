import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IEditorExtensionRegistry } from "@jupyterlab/codemirror";
import { INotebookTracker, NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import { underlines, type CheckedEditor } from "../dom/underlines.js";
import { typeLinkOf, type TypeLink } from "../link/typeLink.js";

type CellModel = NotebookPanel["content"]["widgets"][number]["model"];

/** Underlines the type errors of cells while they are written, in notebooks that this project's kernel runs. */
export const typeErrorsPlugin: JupyterFrontEndPlugin<void> = {
  id: "attention-lab-extension:type-errors",
  description: "Underlines type errors in the cells of Attention Lab's kernel.",
  autoStart: true,
  optional: [IEditorExtensionRegistry, INotebookTracker],
  activate: (_app, registry: IEditorExtensionRegistry | null, notebooks: INotebookTracker | null) => {
    if (!registry || !notebooks) return;
    const editors = new Map<unknown, CheckedEditor>();

    const panelOf = (model: unknown): NotebookPanel | undefined =>
      notebooks.find((panel) => panel.content.widgets.some((cell) => cell.model === model && isCode(cell.model)));
    const linkOf = async (panel: NotebookPanel | undefined): Promise<TypeLink | undefined> => {
      const kernel = panel?.sessionContext.session?.kernel;
      if (!kernel || (await kernel.info).implementation !== "attention-lab") return undefined;
      return typeLinkOf(kernel);
    };

    registry.addExtension({
      name: "attention-lab:type-errors",
      factory: ({ model }) => {
        const extension = underlines({
          async check(code) {
            const panel = panelOf(model);
            const link = await linkOf(panel);
            return panel && link ? link.check(code, sourcesAbove(panel, model)) : [];
          },
          written: () => void linkOf(panelOf(model)).then((link) => link?.open()),
          opened: (editor) => void editors.set(model, editor),
          closed: (editor) => void (editors.get(model) === editor && editors.delete(model)),
        });
        return { instance: () => extension, reconfigure: () => null };
      },
    });

    // What a cell declares may mend the others.
    NotebookActions.executed.connect((_, { notebook, cell: executed }) => {
      const panel = notebooks.find(({ content }) => content === notebook);
      void linkOf(panel).then((link) => {
        if (!link?.isOpen) return;
        for (const cell of notebook.widgets) {
          const editor = editors.get(cell.model);
          if (cell === executed || editor?.isWritten) editor?.refresh();
        }
      });
    });
  },
};

const isCode = (model: CellModel): boolean => model.type === "code";

function sourcesAbove({ content }: NotebookPanel, model: unknown): readonly string[] {
  const models = content.widgets.map((cell) => cell.model);
  return models
    .slice(
      0,
      models.findIndex((each) => each === model),
    )
    .filter(isCode)
    .map(({ sharedModel }) => sharedModel.getSource());
}
