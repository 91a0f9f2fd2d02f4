import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element, tokenElement } from "../../dom/element.js";
import { shapeText, type DiagramNode } from "./nodes.js";

/** A tree of places that folds, by pointer and by keys. */
export interface DiagramTree {
  readonly node: HTMLElement;
  /** Folds everything but the outermost. */
  readonly fold: () => void;
}

/** Levels of more layers than this begin folded. */
const mostOpen = 24;

interface Item {
  readonly node: DiagramNode;
  readonly row: HTMLElement;
  readonly group: HTMLElement | undefined;
}

/** A tree; `onPick` hears of a place, or of what holds several, that is clicked or entered. */
export function createDiagramTree(
  label: string,
  roots: readonly DiagramNode[],
  onPick: (node: DiagramNode) => void,
): DiagramTree {
  const items = new Map<Element, Item>();
  const tree = element("ul", { class: "jp-AttentionDiagram-tree", role: "tree", "aria-label": label });
  let current: HTMLElement | undefined;

  function itemOf(node: DiagramNode, depth: number): HTMLElement {
    const isBranch = node.kind !== "place";
    const shape = node.shape ? element("span", { class: "jp-AttentionDiagram-shape" }, shapeText(node.shape)) : "";
    const row = element(
      "div",
      { class: "jp-AttentionDiagram-row" },
      ...(isBranch ? [element("span", { class: "jp-AttentionDiagram-fold", "aria-hidden": "true" }, "▸")] : []),
      tokenElement(node.label, "jp-AttentionDiagram-label"),
      shape,
    );
    row.style.setProperty("--jp-attention-depth", String(depth));
    const group = isBranch ? element("ul", { role: "group" }) : undefined;
    const item = ownKeys(
      element(
        "li",
        {
          class: `jp-AttentionDiagram-item jp-mod-${node.kind}${node.isOnStream ? " jp-mod-stream" : ""}`,
          role: "treeitem",
          tabindex: -1,
          "aria-level": depth,
          "aria-label": node.shape ? `${node.label} ${shapeText(node.shape)}` : node.label,
          "aria-expanded": isBranch ? "false" : undefined,
          "aria-selected": "false",
        },
        row,
        ...(group ? [group] : []),
      ),
    );
    if (group) group.hidden = true;
    items.set(item, { node, row, group });
    return item;
  }

  const isOpen = (item: Element): boolean => item.getAttribute("aria-expanded") === "true";

  function open(item: Element, isOpened: boolean): void {
    const found = items.get(item);
    if (!found?.group) return;
    if (isOpened && found.group.childElementCount === 0) {
      const depth = Number(item.getAttribute("aria-level")) + 1;
      const children = found.node.children().map((child) => itemOf(child, depth));
      found.group.append(...children);
      // The parts of a block are looked at together with it.
      if (found.node.kind === "block") for (const child of children) open(child, true);
    }
    item.setAttribute("aria-expanded", String(isOpened));
    found.group.hidden = !isOpened;
  }

  const shownItems = (): readonly HTMLElement[] =>
    [...tree.querySelectorAll<HTMLElement>("[role=treeitem]")].filter(
      (item) => !item.parentElement?.closest("[hidden]"),
    );

  function stopAt(item: HTMLElement | undefined, withFocus: boolean): void {
    if (!item) return;
    current?.setAttribute("tabindex", "-1");
    current = item;
    item.setAttribute("tabindex", "0");
    if (withFocus) item.focus();
  }

  function pick(item: HTMLElement): void {
    const found = items.get(item);
    if (!found) return;
    for (const each of tree.querySelectorAll('[aria-selected="true"]')) each.setAttribute("aria-selected", "false");
    item.setAttribute("aria-selected", "true");
    onPick(found.node);
  }

  tree.addEventListener("click", (event) => {
    const item = event.target instanceof Element ? event.target.closest<HTMLElement>("[role=treeitem]") : null;
    if (!item) return;
    stopAt(item, true);
    if (items.get(item)?.group) open(item, !isOpen(item));
    pick(item);
  });
  tree.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !current) return;
    const act = actionOf(event.key, current);
    if (!act) return;
    handled(event);
    act();
  });

  function actionOf(key: string, item: HTMLElement): (() => void) | undefined {
    const parent = item.parentElement?.closest<HTMLElement>("[role=treeitem]") ?? undefined;
    const go = (step: number) => (): void => {
      const all = shownItems();
      stopAt(all[Math.min(all.length - 1, Math.max(0, all.indexOf(item) + step))], true);
    };
    const actions: Readonly<Record<string, () => void>> = {
      ArrowDown: go(1),
      ArrowUp: go(-1),
      Home: go(-Infinity),
      End: go(Infinity),
      ArrowRight: items.get(item)?.group && !isOpen(item) ? () => open(item, true) : go(items.get(item)?.group ? 1 : 0),
      ArrowLeft: isOpen(item) ? () => open(item, false) : () => stopAt(parent ?? item, true),
      Enter: () => pick(item),
      " ": () => pick(item),
    };
    return Object.hasOwn(actions, key) ? actions[key] : undefined;
  }

  tree.append(...roots.map((root) => itemOf(root, 1)));
  for (const item of [...tree.children]) {
    const found = items.get(item);
    if (found?.node.kind === "part") open(item, true);
    if (found?.node.kind !== "level") continue;
    const children = found.node.children();
    if (children.length > mostOpen) continue;
    open(item, true);
    const [first] = found.group?.children ?? [];
    if (first) open(first, true);
  }
  stopAt(shownItems()[0], false);

  return {
    node: tree,
    fold(): void {
      for (const item of items.keys()) open(item, false);
      stopAt(shownItems()[0], false);
    },
  };
}
