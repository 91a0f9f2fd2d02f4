import { modelDiagramMime, type ModelDiagramPayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import { ownKeys } from "../../a11y/shortcuts.js";
import { element, tokenElement } from "../../dom/element.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import { nodesOf, shapeText, type DiagramNode } from "./nodes.js";
import { createDiagramTree } from "./tree.js";

/** A model as a tree along its residual stream: blocks fold, a click on a place copies its address. */
export function modelDiagramView(payload: ModelDiagramPayload, { words }: ViewContext): View {
  let picked: DiagramNode | undefined;
  const tree = createDiagramTree(
    words.__("Places of the model; arrow keys move and fold, Enter copies an address"),
    nodesOf(payload),
    pick,
  );
  const fold = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, words.__("Fold all")));
  fold.addEventListener("click", () => tree.fold());
  const shell = createShell(
    {
      className: "jp-AttentionDiagram",
      title: payload.title,
      subtitle: payload.sizes.join("; "),
      mime: modelDiagramMime,
      payload,
      fileName: "model",
      words,
      tools: [fold],
      options: () => ({}),
      table,
      draw: () => showPicked(),
    },
    words.__("Click a place to copy its address, a block to unfold it"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(tree.node, ...notes);

  function showPicked(): void {
    if (!picked) return shell.read(undefined);
    shell.read([
      tokenElement(picked.address, "jp-AttentionReading-head"),
      ...(picked.shape ? [element("span", { class: "jp-AttentionReading-weight" }, shapeText(picked.shape))] : []),
    ]);
  }

  function pick(node: DiagramNode): void {
    picked = node;
    showPicked();
    if (node.kind !== "place") return shell.live.say(node.address);
    const place = `${node.address} ${shapeText(node.shape ?? [])}`;
    copied(node.address).then(
      () => shell.live.say(words.__("Copied: %1", place)),
      () => shell.live.say(place),
    );
  }

  function table(): HTMLElement {
    const rows = payload.levels.flatMap(({ layers, activations }) =>
      activations.map(({ address, shape, only }) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, tokenElement(address, "jp-AttentionTable-token")),
          element("td", {}, shapeText(shape)),
          element("td", {}, only ? only.join(", ") : layers > 1 ? `0 … ${layers - 1}` : layers === 1 ? "0" : "–"),
        ),
      ),
    );
    return tableRegion(
      tableOf(payload.title, [words.__("address"), words.__("shape"), words.__("layers")], rows),
      words,
    );
  }
  return shell.view;
}

/** Puts a text onto the clipboard; rejects where the browser does not let us. */
async function copied(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}
