import {
  attributionGraphLayout,
  drawAttributionGraph,
  drawnText,
  inks,
  tickText,
  type AttributionGraphLayout,
} from "attention-lab/figure";
import { attributionGraphMime, type AttributionGraphPayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element, tokenElement } from "../../dom/element.js";
import { pictureNode } from "../../dom/picture.js";
import { createStore } from "../../dom/store.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import { nodeAfter, nodeNear, pathsThrough } from "./paths.js";

const tableRows = 500;
/** Steps of the slider: from the largest edge alone to all that are stored. */
const steps = 100;
const usualEdges = 100;

/** What a reader can change. */
interface GraphState {
  /** How many edges are drawn, the largest first. */
  readonly count: number;
  readonly pointed: number | undefined;
  /** The node whose paths stay lit. */
  readonly picked: number | undefined;
}

/** Who writes what whom reads: edges above a least weight, the paths through a node lit, heads chosen in their run. */
export function attributionGraphView(payload: AttributionGraphPayload, { words, selections }: ViewContext): View {
  const { nodes, edges, live } = payload;
  const stored = edges.weight.length;
  const store = createStore<GraphState>({ count: Math.min(usualEdges, stored), pointed: undefined, picked: undefined });
  const selection = live && selections?.of(live.run, live.stack);

  const slider = ownKeys(
    element("input", {
      class: "jp-AttentionGraph-slider",
      type: "range",
      min: 0,
      max: steps,
      "aria-label": words.__("Least weight shown"),
    }),
  );
  const countAt = (step: number): number => Math.max(1, Math.round(stored ** (1 - step / steps)));
  const stepOf = (count: number): number =>
    stored > 1 ? Math.round(steps * (1 - Math.log(count) / Math.log(stored))) : 0;
  slider.value = String(stepOf(store.state.count));
  slider.addEventListener("input", () => store.set({ count: countAt(Number(slider.value)) }));
  const sliderLabel = element("label", { class: "jp-AttentionGraph-least" }, words.__("least weight"), slider);
  const told = element("p", { class: "jp-AttentionFigure-note jp-AttentionGraph-told" });
  const plot = ownKeys(
    element("div", {
      class: "jp-AttentionGraph-plot",
      tabindex: 0,
      role: "application",
      "aria-label": words.__("Attribution graph; arrow keys move from node to node, Enter keeps the paths of one lit"),
    }),
  );
  const cursor = element("div", { class: "jp-AttentionGraph-cursor", "aria-hidden": "true" });
  const shell = createShell(
    {
      className: "jp-AttentionGraph",
      title: payload.title,
      subtitle: payload.measure,
      mime: attributionGraphMime,
      payload,
      fileName: "attribution-graph",
      words,
      tools: [sliderLabel],
      options: () => ({ least: Math.abs(edges.weight[store.state.count - 1] ?? 0) }),
      table,
      draw,
      dispose: () => {
        stop();
        stopHearing();
      },
    },
    words.__("Point at a node to see the paths through it, click it to keep them"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(plot, told, ...notes);
  const stop = store.listen(shell.request);
  let drawn:
    { readonly key: string; readonly layout: AttributionGraphLayout; readonly lines: readonly Element[] } | undefined;

  function draw(width: number): void {
    const { count, pointed, picked } = store.state;
    const look = { width, least: Math.abs(edges.weight[count - 1] ?? 0), ink: inks.page, words: false };
    const key = `${width} ${count}`;
    if (drawn?.key !== key) {
      const picture = pictureNode(drawAttributionGraph(payload, look));
      // Drawn the largest last; by edge, the largest first.
      const lines = [...picture.querySelectorAll(".edge")].reverse();
      drawn = { key, layout: attributionGraphLayout(payload, look), lines };
      plot.replaceChildren(picture, cursor);
      told.textContent = drawnText(payload, drawn.layout);
      slider.setAttribute("aria-valuetext", told.textContent);
    }
    const { layout, lines } = drawn;
    const node = pointed ?? picked;
    const lit = node === undefined ? undefined : pathsThrough(payload, layout, node);
    plot.classList.toggle("jp-mod-lit", lit !== undefined);
    lines.forEach((line, edge) => line.classList.toggle("jp-mod-lit", lit?.has(edge) ?? false));
    const place = node === undefined ? undefined : layout.places[node];
    cursor.hidden = !place?.isShown;
    if (place) cursor.style.transform = `translate(${place.x}px, ${place.y}px)`;
    shell.read(node === undefined ? undefined : nodeReading(node));
  }

  /** Drawn edges that end at, or leave, a node. */
  const edgesAt = (ends: readonly number[], node: number): readonly number[] =>
    ends.slice(0, drawn?.layout.drawn ?? 0).flatMap((end, edge) => (end === node ? [edge] : []));
  const sum = (list: readonly number[]): number => list.reduce((all, edge) => all + (edges.weight[edge] ?? 0), 0);
  const edgeText = (edge: number): string => {
    const reader = [nodes.name[edges.to[edge] ?? 0], edges.input[edge]].filter(Boolean).join(" ");
    return `${nodes.name[edges.from[edge] ?? 0]} → ${reader} ${tickText(edges.weight[edge] ?? 0)}`;
  };
  const nodeFacts = (node: number): readonly (readonly [name: string, text: string])[] => {
    const [into, out] = [edgesAt(edges.to, node), edgesAt(edges.from, node)];
    const facts = (name: string, list: readonly number[]): readonly (readonly [string, string])[] =>
      list.length > 0 ? [[name, `${tickText(sum(list))} (${list.length})`]] : [];
    const [largest] = [...into, ...out].sort((a, b) => a - b);
    return [
      ...facts(words.__("into it"), into),
      ...facts(words.__("out of it"), out),
      ...(largest === undefined ? [] : [[words.__("largest"), edgeText(largest)] as const]),
    ];
  };
  const nodeReading = (node: number): readonly Node[] => [
    tokenElement(nodes.name[node] ?? "", "jp-AttentionReading-head"),
    ...nodeFacts(node).map(([name, text]) =>
      element("span", {}, element("span", { class: "jp-AttentionReading-word" }, `${name} `), text),
    ),
  ];
  const nodeText = (node: number): string =>
    [nodes.name[node] ?? "", ...nodeFacts(node).map(([name, text]) => `${name} ${text}`)].join(", ");

  function pick(node: number | undefined): void {
    const next = node === store.state.picked ? undefined : node;
    store.set({ picked: next });
    if (next === undefined) return shell.live.say(words.__("No node is kept"));
    shell.live.say(words.__("Kept: %1", nodeText(next)));
    const [kind, layer, head] = [nodes.kind[next], nodes.layer[next], nodes.head[next]];
    if (kind === "head" && layer !== undefined && head !== undefined) selection?.set({ head: { layer, head } });
  }

  const under = (event: MouseEvent): number | undefined => {
    const box = plot.getBoundingClientRect();
    return drawn && nodeNear(event.clientX - box.left, event.clientY - box.top, drawn.layout);
  };
  plot.addEventListener("pointermove", (event) => store.set({ pointed: under(event) }));
  plot.addEventListener("pointerleave", () => store.set({ pointed: undefined }));
  plot.addEventListener("click", (event) => pick(under(event)));
  plot.addEventListener("keydown", (event) => {
    if (!drawn || event.ctrlKey || event.metaKey || event.altKey) return;
    const { pointed, picked } = store.state;
    const here = pointed ?? picked;
    if (event.key === "Escape") {
      handled(event);
      return store.set({ pointed: undefined, picked: undefined });
    }
    if ((event.key === "Enter" || event.key === " ") && here !== undefined) {
      handled(event);
      return pick(here);
    }
    const next = nodeAfter(event.key, drawn.layout, here);
    if (next === undefined) return;
    handled(event);
    store.set({ pointed: next });
    shell.live.say(nodeText(next));
  });

  const hear = (): void => {
    const chosen = selection?.state.head;
    if (!chosen) return;
    const node = nodes.kind.findIndex(
      (kind, at) => kind === "head" && nodes.layer[at] === chosen.layer && nodes.head[at] === chosen.head,
    );
    if (node >= 0) store.set({ picked: node });
  };
  const stopHearing = selection?.listen(hear) ?? ((): void => undefined);
  hear();

  function table(): HTMLElement {
    const rows = edges.weight
      .slice(0, Math.min(tableRows, store.state.count))
      .map((weight, edge) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, nodes.name[edges.from[edge] ?? 0] ?? ""),
          element("td", {}, [nodes.name[edges.to[edge] ?? 0], edges.input[edge]].filter(Boolean).join(" ")),
          element("td", {}, String(weight)),
        ),
      );
    return tableRegion(tableOf(payload.title, [words.__("from"), words.__("to"), payload.measure], rows), words);
  }
  return shell.view;
}
