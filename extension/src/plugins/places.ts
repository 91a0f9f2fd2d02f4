import { ILabShell, ILayoutRestorer, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget } from "@jupyterlab/apputils";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { Panel, Widget } from "@lumino/widgets";
import { figureOfCommand } from "../figureOfCommand.js";
import { rendererAt, type AttentionRenderer } from "../renderer.js";

/** Commands that show a figure elsewhere: in a tab of its own, or beside the notebook. */
export const placesPlugin: JupyterFrontEndPlugin<void> = {
  id: "attention-lab-extension:places",
  description: "Shows Attention Lab's figures in tabs and in an inspector beside the notebook.",
  autoStart: true,
  optional: [ITranslator, ICommandPalette, ILabShell, ILayoutRestorer],
  activate: (
    app,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
  ) => {
    const words = (translator ?? nullTranslator).load("attention_lab");
    const category = words.__("Attention");
    const noArguments = { args: { type: "object", properties: {} } } as const;
    const figure = (): AttentionRenderer | undefined => {
      const node = figureOfCommand(app);
      return node && rendererAt(node);
    };
    let tabs = 0;

    app.commands.addCommand("attention:open-in-tab", {
      label: words.__("Open Figure in New Tab"),
      describedBy: noArguments,
      isEnabled: () => figure() !== undefined,
      execute: () => {
        const content = figure()?.copy(false);
        if (!content) return;
        content.addClass("jp-mod-tab");
        const tab = new MainAreaWidget({ content });
        tab.id = `attention-figure-${++tabs}`;
        tab.title.label = words.__("Attention");
        tab.title.iconClass = "jp-AttentionIcon";
        app.shell.add(tab, "main", { mode: "split-right" });
        app.shell.activateById(tab.id);
      },
    });
    palette?.addItem({ command: "attention:open-in-tab", category });

    const inspector = createInspector(words.__("Click a head of a figure to see it here."), words.__("Attention"));
    restorer?.add(inspector, inspector.id);
    const isShown = (): boolean => inspector.isAttached && inspector.isVisible;
    app.commands.addCommand("attention:toggle-inspector", {
      label: ({ toolbar }) => (toolbar === true ? "" : words.__("Attention Inspector")),
      caption: words.__("Show the head that was chosen last, beside the notebook"),
      iconClass: "jp-AttentionIcon",
      describedBy: noArguments,
      isToggled: isShown,
      execute: () => {
        if (isShown() && labShell) return labShell.collapseRight();
        if (!inspector.isAttached) app.shell.add(inspector, "right", { rank: 900 });
        app.shell.activateById(inspector.id);
        const node = figureOfCommand(app);
        if (node) inspector.follow(node);
      },
    });
    palette?.addItem({ command: "attention:toggle-inspector", category });
  },
};

interface Inspector extends Panel {
  /** Shows the figure that a node is part of. */
  follow(node: Element): void;
}

/** A panel that shows the figure that was used last. */
function createInspector(hint: string, title: string): Inspector {
  const empty = new Widget();
  empty.addClass("jp-AttentionInspector-hint");
  empty.node.textContent = hint;
  const panel = new Panel();
  panel.addClass("jp-AttentionInspector");
  panel.id = "attention-inspector";
  panel.title.iconClass = "jp-AttentionIcon";
  panel.title.caption = title;
  panel.addWidget(empty);
  let followed: AttentionRenderer | undefined;
  const follow = (node: Element): void => {
    if (panel.node.contains(node)) return;
    const source = rendererAt(node);
    if (!source || source === followed) return;
    const copy = source.copy(true);
    if (!copy) return;
    followed = source;
    for (const old of [...panel.widgets]) old.dispose();
    panel.addWidget(copy);
  };
  const used = (event: Event): void => {
    if (panel.isVisible && event.target instanceof Element) follow(event.target);
  };
  document.addEventListener("pointerdown", used, true);
  document.addEventListener("focusin", used, true);
  panel.disposed.connect(() => {
    document.removeEventListener("pointerdown", used, true);
    document.removeEventListener("focusin", used, true);
  });
  return Object.assign(panel, { follow });
}
