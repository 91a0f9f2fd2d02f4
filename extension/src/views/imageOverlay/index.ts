import {
  drawImageOverlay,
  imageOverlayLayout,
  inks,
  niceTop,
  overlayWeights,
  tickText,
  weightRamp,
  type PaletteName,
  type ScaleName,
} from "attention-lab/figure";
import { imageOverlayMime, type ImageOverlayPayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import { gridMove, type GridPlace } from "../../a11y/gridKeys.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { choice } from "../../dom/choice.js";
import { element, tokenElement } from "../../dom/element.js";
import { createLegend, rampContent } from "../../dom/legend.js";
import { pictureNode } from "../../dom/picture.js";
import { createStore } from "../../dom/store.js";
import { createCross, placeCross } from "../../draw/cross.js";
import { preferences } from "../../preferences.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import { mapChoice, nextPalette, otherScale, paletteChoice } from "../look.js";

/** What a reader can change. */
interface OverlayState {
  readonly map: number;
  readonly query: number;
  readonly opacity: number;
  readonly outline: "mask" | "none" | number;
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  readonly pointed: GridPlace | undefined;
}

/** A picture with attention over it: of the class token, or of a patch that is clicked or entered. */
export function imageOverlayView(payload: ImageOverlayPayload, { words, selections }: ViewContext): View {
  const { grid, queries, maps, live } = payload;
  const patches = grid.rows * grid.columns;
  /** Queries that are no patches come first. */
  const before = queries.length - patches;
  const store = createStore<OverlayState>({
    map: maps.name.length - 1,
    query: 0,
    opacity: 0.6,
    outline: payload.mask ? "mask" : "none",
    palette: preferences().palette,
    scale: "sqrt",
    pointed: undefined,
  });
  const selection = live && selections?.of(live.run, live.stack);
  const map = mapChoice(maps, selection, words, (value) => store.set({ map: value }));
  const palette = paletteChoice(words, (value) => store.set({ palette: value }));
  const opacity = ownKeys(
    element("input", {
      type: "range",
      min: 0,
      max: 100,
      class: "jp-AttentionOverlay-opacity",
      "aria-label": words.__("Opacity of the colours"),
    }),
  );
  opacity.addEventListener("input", () => store.set({ opacity: Number(opacity.value) / 100 }));
  const shares = [0.5, 0.25] as const;
  const outline = choice(
    words.__("Outline"),
    [
      { value: "none", label: words.__("no outline") },
      ...(payload.mask ? [{ value: "mask", label: words.__("mask") }] : []),
      ...shares.map((share) => ({ value: String(share), label: words.__("≥ %1 of the largest", String(share)) })),
    ],
    (value) => store.set({ outline: value === "none" || value === "mask" ? value : Number(value) }),
  );
  const first = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, queries[0] ?? ""));
  first.hidden = before === 0;
  first.addEventListener("click", () => ask(0));
  const cross = createCross("jp-AttentionOverlay");
  const plot = ownKeys(
    element("div", {
      class: "jp-AttentionOverlay-plot",
      tabindex: 0,
      role: "application",
      "aria-label": words.__(
        "Attention over a picture; arrow keys move over the patches, Enter shows what one attends to",
      ),
    }),
  );
  const legend = createLegend();
  const shell = createShell(
    {
      className: "jp-AttentionOverlay",
      title: payload.title,
      subtitle: words.__("%1 × %2 patches", grid.rows, grid.columns),
      mime: imageOverlayMime,
      payload,
      fileName: "attention-picture",
      words,
      tools: [first, map, opacity, outline, palette],
      options: () => {
        const { palette, scale, map, query, opacity, outline } = store.state;
        return { palette, scale, overlay: { map, query, opacity, outline } };
      },
      table,
      draw,
      act(action): void {
        if (action === "toggle-scale") store.set({ scale: otherScale(store.state.scale) });
        if (action === "next-palette") store.set({ palette: nextPalette(store.state.palette) });
      },
      dispose: () => stop(),
    },
    words.__("Point at a patch to read its weight, click it to see what it attends to"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(plot, ...notes);
  shell.footer.append(legend.node);
  const stop = store.listen(shell.request);
  let drawn: { readonly key: string; readonly weights: Float32Array; readonly width: number } | undefined;

  function ask(query: number): void {
    store.set({ query });
    shell.live.say(words.__("Attention of %1", queries[query] ?? ""));
  }

  function draw(width: number): void {
    const { pointed, ...look } = store.state;
    map.value = String(look.map);
    palette.value = look.palette;
    outline.value = String(look.outline);
    opacity.value = String(Math.round(100 * look.opacity));
    const key = JSON.stringify([width, look]);
    if (drawn?.key !== key) {
      plot.replaceChildren(
        pictureNode(drawImageOverlay(payload, { ...look, width, ink: inks.page, words: false })),
        cross.node,
      );
      drawn = { key, width, weights: overlayWeights(payload, look.map, look.query) };
      const largest = drawn.weights.reduce((most, weight) => Math.max(most, weight), 0);
      legend.show(key, () => rampContent(weightRamp(niceTop(largest), largest, look.palette, look.scale)));
    }
    if (pointed) placeCross(cross, pointed, { ...imageOverlayLayout(payload, width, false), ...grid });
    else cross.hide();
    shell.read([
      tokenElement(maps.name[look.map] ?? "", "jp-AttentionReading-head"),
      tokenElement(queries[look.query] ?? "", "jp-AttentionReading-token"),
      ...(pointed ? [element("span", { class: "jp-AttentionReading-weight" }, `→ ${patchText(pointed)}`)] : []),
    ]);
  }

  function patchText({ row, column }: GridPlace): string {
    const at = row * grid.columns + column;
    return `${queries[before + at] ?? ""} ≈ ${tickText(Number((drawn?.weights[at] ?? 0).toPrecision(2)))}`;
  }

  const under = (event: MouseEvent): GridPlace | undefined => {
    if (!drawn) return undefined;
    const area = imageOverlayLayout(payload, drawn.width, false);
    const box = plot.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left - area.left) / area.width) * grid.columns);
    const row = Math.floor(((event.clientY - box.top - area.top) / area.height) * grid.rows);
    return row >= 0 && row < grid.rows && column >= 0 && column < grid.columns ? { row, column } : undefined;
  };
  const point = (pointed: GridPlace | undefined): void => {
    const here = store.state.pointed;
    if (pointed?.row !== here?.row || pointed?.column !== here?.column) store.set({ pointed });
  };
  plot.addEventListener("pointermove", (event) => point(under(event)));
  plot.addEventListener("pointerleave", () => point(undefined));
  plot.addEventListener("click", (event) => {
    const patch = under(event);
    if (patch) ask(before + patch.row * grid.columns + patch.column);
  });
  plot.addEventListener("keydown", (event) => {
    const { pointed } = store.state;
    if (event.key === "Escape") {
      handled(event);
      point(undefined);
      return ask(0);
    }
    if ((event.key === "Enter" || event.key === " ") && pointed) {
      handled(event);
      return ask(before + pointed.row * grid.columns + pointed.column);
    }
    const from = pointed ?? { row: 0, column: 0 };
    const next = gridMove(event, from, grid.rows, grid.columns);
    if (!next) return;
    handled(event);
    point(pointed ? next : from);
    shell.live.say(patchText(pointed ? next : from));
  });

  function table(): HTMLElement {
    const { map: shown, query } = store.state;
    const weights = overlayWeights(payload, shown, query);
    const order = Array.from(weights.keys()).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
    const rows = order
      .slice(0, 200)
      .map((at) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, tokenElement(queries[before + at] ?? "", "jp-AttentionTable-token")),
          element("td", {}, `≈ ${tickText(Number((weights[at] ?? 0).toPrecision(2)))}`),
        ),
      );
    const caption = words.__("%1: attention of %2", maps.name[shown] ?? "", queries[query] ?? "");
    return tableRegion(tableOf(caption, [words.__("patch"), words.__("weight")], rows), words);
  }
  return shell.view;
}
