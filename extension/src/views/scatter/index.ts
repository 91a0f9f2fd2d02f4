import { tickText, type PaletteName } from "attention-lab/figure";
import { scatterMime, type ScatterPayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import { ownKeys } from "../../a11y/shortcuts.js";
import { element, tokenElement } from "../../dom/element.js";
import { createStore } from "../../dom/store.js";
import { createSelections, type MarkedHead } from "../../link/selections.js";
import { preferences } from "../../preferences.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import type { Brush } from "./keys.js";
import { createScatterPlot } from "./plot.js";
import { nextPalette, paletteChoice } from "../look.js";

const tableRows = 1_000;

/** What a reader can change. */
interface ScatterState {
  readonly palette: PaletteName;
  readonly xScale: "linear" | "log";
  readonly yScale: "linear" | "log";
  readonly pointed: number | undefined;
  readonly chosen: number | undefined;
  readonly marked: ReadonlySet<number>;
  readonly brush: Brush | undefined;
}

/** Points by two numbers; a rectangle marks some, and where they are heads marks them in the run's head grid as well. */
export function scatterView(payload: ScatterPayload, context: ViewContext): View {
  const { words } = context;
  const { points, heads, live } = payload;
  const selection = (context.selections ?? createSelections()).of(live?.run ?? "", live?.stack ?? "");
  const isLinked = live !== undefined && heads !== undefined;
  const store = createStore<ScatterState>({
    palette: preferences().palette,
    xScale: payload.x.scale,
    yScale: payload.y.scale,
    pointed: undefined,
    chosen: undefined,
    marked: new Set(),
    brush: undefined,
  });
  const indexOf = new Map(heads?.layer.map((layer, at) => [`${layer}.${heads.head[at]}`, at]));
  const headOf = (at: number): MarkedHead | undefined => {
    const [layer, head] = [heads?.layer[at], heads?.head[at]];
    return layer === undefined || head === undefined ? undefined : { layer, head };
  };

  function mark(marked: ReadonlySet<number>, brush?: Brush): void {
    store.set({ marked, brush });
    if (isLinked) selection.set({ marked: [...marked].flatMap((at) => headOf(at) ?? []) });
  }

  const button = (text: string, press: () => void): HTMLButtonElement => {
    const made = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, text));
    made.addEventListener("click", press);
    return made;
  };
  const toggle = (axis: "xScale" | "yScale"): void =>
    store.set({ [axis]: store.state[axis] === "log" ? "linear" : "log", brush: undefined });
  const xLog = button(words.__("log x"), () => toggle("xScale"));
  const yLog = button(words.__("log y"), () => toggle("yScale"));
  const clear = button(words.__("Unmark all"), () => mark(new Set()));
  const palette = paletteChoice(words, (value) => store.set({ palette: value }));
  palette.hidden = heads === undefined;

  const number = (value: number | null | undefined): string => (typeof value === "number" ? tickText(value) : "–");
  const pointText = (at: number): string =>
    `${points.labels[at] ?? ""}: ${payload.x.label || "x"} ${number(points.x[at])}, ` +
    `${payload.y.label || "y"} ${number(points.y[at])}`;
  const markedText = ({ size }: ReadonlySet<number>): string => words._n("%1 point marked", "%1 points marked", size);

  const plot = createScatterPlot(
    words.__(
      "%1 over %2; arrow keys move through the points, with Shift they draw a rectangle, Space marks, Enter chooses",
      payload.y.label || "y",
      payload.x.label || "x",
    ),
    {
      onPoint(pointed, keyed): void {
        store.set({ pointed });
        if (pointed !== undefined && keyed) shell.live.say(pointText(pointed));
      },
      onChoose(chosen): void {
        store.set({ chosen, pointed: chosen });
        shell.live.say(words.__("Chosen: %1", pointText(chosen)));
        const head = headOf(chosen);
        if (isLinked && head) selection.set({ head });
      },
      onToggle(at): void {
        const marked = new Set(store.state.marked);
        if (!marked.delete(at)) marked.add(at);
        mark(marked);
        shell.live.say(markedText(marked));
      },
      onBrush(brush, inside, adds, isDone): void {
        const marked = adds ? new Set([...store.state.marked, ...inside]) : inside;
        mark(marked, isDone ? undefined : brush);
        if (isDone) shell.live.say(`${markedText(marked)}${namesOf(marked)}`);
      },
      onClear: () => mark(new Set()),
    },
  );
  const shell = createShell(
    {
      className: "jp-AttentionScatter",
      title: payload.title,
      subtitle: heads
        ? words._n("%1 head", "%1 heads", points.labels.length)
        : words._n("%1 point", "%1 points", points.labels.length),
      mime: scatterMime,
      payload,
      fileName: "scatter",
      words,
      tools: [clear, palette, xLog, yLog],
      options: () => {
        const { palette: shown, xScale, yScale, marked } = store.state;
        return { palette: shown, points: { xScale, yScale, marked: [...marked] } };
      },
      table,
      draw,
      act(action): void {
        if (action === "toggle-scale") toggle("yScale");
        if (action === "next-palette") store.set({ palette: nextPalette(store.state.palette) });
      },
      dispose(): void {
        stop();
        stopHearing();
      },
    },
    isLinked
      ? words.__("Drag a rectangle to mark heads here and in the grid of their run; click a point to choose its head")
      : words.__("Point at a point to read it, drag a rectangle to mark points"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  const lost = element("p", { class: "jp-AttentionFigure-note" });
  shell.body.append(plot.node, lost, ...notes);
  const stop = store.listen(shell.request);

  const hear = (): void => {
    const { head, marked } = selection.state;
    const known = marked.flatMap((each) => indexOf.get(`${each.layer}.${each.head}`) ?? []);
    const same = known.length === store.state.marked.size && known.every((at) => store.state.marked.has(at));
    store.set({
      chosen: head && indexOf.get(`${head.layer}.${head.head}`),
      ...(same ? {} : { marked: new Set(known), brush: undefined }),
    });
  };
  const stopHearing = isLinked ? selection.listen(hear) : (): void => undefined;
  if (isLinked) hear();

  function namesOf(marked: ReadonlySet<number>): string {
    const names = [...marked].slice(0, 12).map((at) => points.labels[at] ?? "");
    return names.length > 0 ? `: ${names.join(", ")}${marked.size > names.length ? ", …" : ""}` : "";
  }

  function draw(width: number): void {
    const { palette: chosenPalette, xScale, yScale, pointed, chosen, marked, brush } = store.state;
    palette.value = chosenPalette;
    xLog.setAttribute("aria-pressed", String(xScale === "log"));
    yLog.setAttribute("aria-pressed", String(yScale === "log"));
    clear.hidden = marked.size === 0;
    const missing = plot.draw(payload, { width, palette: chosenPalette, xScale, yScale });
    lost.hidden = missing === 0;
    lost.textContent = words._n("%1 point has no place here", "%1 points have no place here", missing);
    plot.mark({ pointed, chosen, marked, brush });
    const read = pointed ?? (marked.size > 0 ? undefined : chosen);
    if (read !== undefined) return shell.read(pointNodes(read));
    shell.read(marked.size > 0 ? [element("span", {}, markedText(marked), namesOf(marked))] : undefined);
  }

  function pointNodes(at: number): readonly Node[] {
    return [
      tokenElement(points.labels[at] ?? "", "jp-AttentionReading-head"),
      ...[[payload.x.label || "x", points.x[at]] as const, [payload.y.label || "y", points.y[at]] as const].map(
        ([name, value]) =>
          element(
            "span",
            {},
            element("span", { class: "jp-AttentionReading-word" }, `${name} `),
            element("span", { class: "jp-AttentionReading-weight" }, number(value)),
          ),
      ),
    ];
  }

  function table(): HTMLElement {
    const { marked } = store.state;
    const all = points.labels.map((_, at) => at);
    const order = [...all.filter((at) => marked.has(at)), ...all.filter((at) => !marked.has(at))];
    const rows = order
      .slice(0, tableRows)
      .map((at) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, tokenElement(points.labels[at] ?? "", "jp-AttentionTable-token")),
          element("td", {}, String(points.x[at] ?? "–")),
          element("td", {}, String(points.y[at] ?? "–")),
          element("td", {}, marked.has(at) ? words.__("marked") : ""),
        ),
      );
    const headings = [words.__("point"), payload.x.label || "x", payload.y.label || "y", words.__("marked")];
    return tableRegion(tableOf(payload.title, headings, rows), words);
  }
  return shell.view;
}
