import type { FigureOptions } from "attention-lab/figure";
import type { PayloadMime } from "attention-lab/views";
import { figureClass, onAction, type FigureAction } from "../actions.js";
import { createLive, type Live } from "../a11y/live.js";
import { passAccelerators } from "../a11y/shortcuts.js";
import { element } from "../dom/element.js";
import { createFrame } from "../dom/frame.js";
import { createTooltip, type Tooltip } from "../dom/tooltip.js";
import { exportFigure, type ExportAction } from "../export/exportFigure.js";
import { exportMenu } from "../export/exportMenu.js";
import { tableButton } from "../export/tableButton.js";
import type { Words } from "../words.js";
import type { View } from "./view.js";

/** What a view says about itself to get its frame. */
export interface ShellSpec {
  /** Class of the figure's node. */
  readonly className: string;
  readonly title: string;
  readonly subtitle: string;
  readonly mime: PayloadMime;
  readonly payload: unknown;
  /** Name of saved files, without extension. */
  readonly fileName: string;
  readonly words: Words;
  /** Controls before the table and export buttons. */
  readonly tools?: readonly HTMLElement[];
  /** How the picture is to be exported as it is set now. */
  readonly options: () => FigureOptions;
  /** The numbers behind the picture; none where the view is a table itself. */
  readonly table: (() => HTMLElement) | undefined;
  /** Draws at a width in CSS pixels, which is never 0. */
  readonly draw: (width: number) => void;
  /** Does what the frame does not do itself. */
  readonly act?: (action: FigureAction) => void;
  readonly dispose?: () => void;
}

/** The frame of a figure: title, controls, read-out, table, export, keyboard, live region. */
export interface Shell {
  readonly view: View;
  /** Where the view draws. */
  readonly body: HTMLElement;
  /** Below the body, at its end: legends. */
  readonly footer: HTMLElement;
  readonly tooltip: Tooltip;
  readonly live: Live;
  /** Shows what is under the pointer or has the keyboard; with nothing, the hint. */
  readonly read: (content: readonly (Node | string)[] | undefined) => void;
  /** Says something to screen readers and shows it. */
  readonly announce: (text: string) => void;
  /** Draws in the next animation frame. */
  readonly request: () => void;
}

/** A frame; `hint` stands where the read-out will. */
export function createShell(spec: ShellSpec, hint: string): Shell {
  const { words, title } = spec;
  const live = createLive();
  const tooltip = createTooltip();
  const table = tableButton(words, act);
  table.hidden = !spec.table;
  const body = element("div", { class: `${spec.className}-body` });
  const reading = element("div", { class: "jp-AttentionReading" });
  const footer = element("div", { class: "jp-AttentionFigure-footer" }, reading);
  const tableSlot = element("div", {});
  const node = element(
    "div",
    { class: `${figureClass} ${spec.className}`, role: "group", "aria-label": title },
    element(
      "div",
      { class: "jp-AttentionFigure-toolbar" },
      element(
        "div",
        { class: "jp-AttentionFigure-titles" },
        element("span", { class: "jp-AttentionFigure-title" }, title),
        element("span", { class: "jp-AttentionFigure-subtitle" }, spec.subtitle),
      ),
      element("div", { class: "jp-AttentionFigure-tools" }, ...(spec.tools ?? []), table, exportMenu(words, act)),
    ),
    body,
    footer,
    tableSlot,
    live.node,
  );
  const draw = (): void => {
    const width = node.clientWidth;
    if (width > 0) spec.draw(width);
  };
  const frame = createFrame(draw);
  const read = (content: readonly (Node | string)[] | undefined): void =>
    reading.replaceChildren(...(content ?? [element("span", { class: "jp-AttentionReading-note" }, hint)]));
  const announce = (text: string): void => {
    live.say(text);
    reading.replaceChildren(element("span", { class: "jp-AttentionReading-note" }, text));
  };

  function act(action: FigureAction): void {
    if (action === "toggle-table" && spec.table) {
      const shown = table.getAttribute("aria-pressed") !== "true";
      table.setAttribute("aria-pressed", String(shown));
      tableSlot.replaceChildren(...(shown ? [spec.table()] : []));
    } else if (isExport(action)) {
      exportFigure(action, spec.mime, spec.payload, spec.options(), spec.fileName).then(
        () => announce(action.startsWith("copy") ? words.__("Copied the picture") : words.__("Saved")),
        (error: unknown) =>
          announce(words.__("Not exported: %1", error instanceof Error ? error.message : String(error))),
      );
    } else spec.act?.(action);
  }
  onAction(node, act);
  table.setAttribute("aria-pressed", "false");
  read(undefined);
  node.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  });
  const endAccelerators = passAccelerators(node);
  const watch = new ResizeObserver(frame.request);
  watch.observe(node);
  return {
    view: {
      node,
      draw,
      dispose(): void {
        endAccelerators();
        watch.disconnect();
        frame.dispose();
        tooltip.dispose();
        spec.dispose?.();
        node.remove();
      },
    },
    body,
    footer,
    tooltip,
    live,
    read,
    announce,
    request: frame.request,
  };
}

const isExport = (action: FigureAction): action is ExportAction => /^(copy|save)-/.test(action);
