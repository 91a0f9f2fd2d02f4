import { curvesLayout, drawCurves, inks, strokes, tickText, type CurvesLook } from "attention-lab/figure";
import { curvesMime, type CurvesPayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element, tokenElement } from "../../dom/element.js";
import { pictureNode } from "../../dom/picture.js";
import { createStore } from "../../dom/store.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import { curveKeys } from "./keys.js";
import { readingsAt } from "./readings.js";

const tableRows = 500;

/** What a reader can change. */
interface CurvesState {
  readonly hidden: ReadonlySet<number>;
  readonly range: readonly [low: number, high: number] | undefined;
  readonly yScale: "linear" | "log";
  /** The x that is read. */
  readonly x: number | undefined;
  /** The other end of a drag, as an x. */
  readonly drag: number | undefined;
}

/** Curves with a cross-hair that reads them all, a legend that hides them, and a drag that enlarges a range. */
export function curvesView(payload: CurvesPayload, { words }: ViewContext): View {
  const store = createStore<CurvesState>({
    hidden: new Set(),
    range: undefined,
    yScale: payload.y.scale,
    x: undefined,
    drag: undefined,
  });
  const plot = ownKeys(
    element("div", {
      class: "jp-AttentionCurves-plot",
      tabindex: 0,
      role: "group",
      "aria-label": words.__("Curves; left and right read them"),
    }),
  );
  const cross = element("div", { class: "jp-AttentionCurves-cross" });
  const span = element("div", { class: "jp-AttentionCurves-span" });
  const legend = element("div", {
    class: "jp-AttentionCurves-legend",
    role: "group",
    "aria-label": words.__("Curves"),
  });
  const scale = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, words.__("log y")));
  const reset = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, words.__("Whole range")));
  scale.addEventListener("click", toggleScale);
  reset.addEventListener("click", () => store.set({ range: undefined }));
  const shell = createShell(
    {
      className: "jp-AttentionCurves",
      title: payload.title,
      subtitle: words._n("%1 curve", "%1 curves", payload.curves.length),
      mime: curvesMime,
      payload,
      fileName: "curves",
      words,
      tools: [reset, scale],
      options: () => ({}),
      table,
      draw,
      act: (action) => {
        if (action === "toggle-scale") toggleScale();
      },
      dispose: () => stop(),
    },
    words.__("Point at the curves to read them, drag to enlarge a range"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(legend, plot, ...notes);
  const stop = store.listen(shell.request);
  const names = payload.curves.map(({ name }, curve) => {
    const { stroke, dash } = strokes[curve % strokes.length] ?? { stroke: "", dash: undefined };
    const sample = element("span", { class: "jp-AttentionCurves-sample" });
    sample.style.borderTop = `3px ${dash ? "dashed" : "solid"} ${stroke}`;
    const entry = ownKeys(
      element("button", { class: "jp-AttentionCurves-name", type: "button" }, sample, tokenElement(name, "")),
    );
    entry.addEventListener("click", () => {
      const hidden = new Set(store.state.hidden);
      if (!hidden.delete(curve)) hidden.add(curve);
      store.set({ hidden });
    });
    return entry;
  });
  legend.append(...names);

  let drawn: { readonly look: CurvesLook; readonly key: string } | undefined;

  function toggleScale(): void {
    store.set({ yScale: store.state.yScale === "log" ? "linear" : "log" });
  }

  function draw(width: number): void {
    const { hidden, range, yScale, x, drag } = store.state;
    const look = { width, ink: inks.page, hidden, yScale, words: false, ...(range ? { range } : {}) };
    const key = JSON.stringify([width, [...hidden], yScale, range]);
    if (drawn?.key !== key) {
      drawn = { look, key };
      plot.replaceChildren(pictureNode(drawCurves(payload, look)), span, cross);
      names.forEach((entry, curve) => entry.setAttribute("aria-pressed", String(!hidden.has(curve))));
      scale.setAttribute("aria-pressed", String(yScale === "log"));
      reset.hidden = range === undefined;
    }
    const { area, x: axis } = curvesLayout(payload, look);
    const left = (at: number): number => area.left + Math.min(1, Math.max(0, axis.place(at))) * area.width;
    cross.hidden = x === undefined;
    span.hidden = x === undefined || drag === undefined;
    for (const part of [cross, span]) {
      part.style.top = `${area.top}px`;
      part.style.height = `${area.height}px`;
    }
    if (x === undefined) return shell.read(undefined);
    const found = readingsAt(payload, x, hidden);
    cross.style.left = `${left(found.x)}px`;
    if (drag !== undefined) {
      span.style.left = `${Math.min(left(drag), left(x))}px`;
      span.style.width = `${Math.abs(left(drag) - left(x))}px`;
    }
    shell.read([
      element("span", { class: "jp-AttentionReading-head" }, `${payload.x.label || "x"} ${tickText(found.x)}`),
      ...found.readings.map(({ curve, text }) =>
        element(
          "span",
          {},
          element("span", { class: "jp-AttentionReading-word" }, tokenElement(payload.curves[curve]?.name ?? "", "")),
          ` ${text}`,
        ),
      ),
    ]);
  }

  /** The x under the pointer. */
  const under = (event: PointerEvent): number | undefined => {
    if (!drawn) return undefined;
    const { area, x } = curvesLayout(payload, drawn.look);
    const share = (event.clientX - plot.getBoundingClientRect().left - area.left) / area.width;
    return x.at(Math.min(1, Math.max(0, share)));
  };
  plot.addEventListener("pointermove", (event) => store.set({ x: under(event) }));
  plot.addEventListener("pointerleave", () => store.set({ x: undefined, drag: undefined }));
  plot.addEventListener("pointerdown", (event) => store.set({ drag: under(event) }));
  plot.addEventListener("pointerup", (event) => {
    const { drag } = store.state;
    const to = under(event);
    store.set({ drag: undefined });
    if (drag === undefined || to === undefined || !drawn) return;
    const { x, area } = curvesLayout(payload, drawn.look);
    const wide = Math.abs(x.place(drag) - x.place(to)) * area.width;
    if (wide > 6) store.set({ range: [Math.min(drag, to), Math.max(drag, to)] });
  });
  plot.addEventListener("dblclick", () => store.set({ range: undefined }));
  plot.addEventListener("keydown", (event) => {
    const { hidden, x, range } = store.state;
    const next = curveKeys(event, payload, hidden, range, x);
    if (next === undefined) return;
    handled(event);
    store.set(next === "out" ? { range: undefined, x: undefined } : { x: next });
    if (next === "out") return;
    const found = readingsAt(payload, next, hidden);
    const texts = found.readings.map(({ curve, text }) => `${payload.curves[curve]?.name ?? ""} ${text}`);
    shell.live.say([`${payload.x.label} ${tickText(found.x)}`, ...texts].join(", "));
  });

  function table(): HTMLElement {
    const rows = payload.curves.flatMap(({ name, x, y, low, high }) =>
      x.slice(0, Math.ceil(tableRows / payload.curves.length)).map((at, i) => {
        const [from, to] = [low?.[i], high?.[i]];
        return element(
          "tr",
          {},
          element("th", { scope: "row" }, tokenElement(name, "")),
          element("td", {}, String(at)),
          element("td", {}, String(y[i] ?? "–")),
          element("td", {}, typeof from === "number" && typeof to === "number" ? `${from} … ${to}` : "–"),
        );
      }),
    );
    return tableRegion(
      tableOf(
        payload.title,
        [words.__("curve"), payload.x.label || "x", payload.y.label || "y", words.__("interval")],
        rows,
      ),
      words,
    );
  }
  return shell.view;
}
