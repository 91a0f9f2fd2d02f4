import {
  audioTimelineLayout,
  audioWeights,
  drawAudioTimeline,
  inks,
  niceTop,
  tickText,
  visibleToken,
  weightRamp,
  type PaletteName,
  type ScaleName,
} from "attention-lab/figure";
import { audioTimelineMime, peakText, type AudioTimelinePayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import { gridMove, type GridPlace } from "../../a11y/gridKeys.js";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element, tokenElement } from "../../dom/element.js";
import { createLegend, rampContent } from "../../dom/legend.js";
import { pictureNode } from "../../dom/picture.js";
import { createStore } from "../../dom/store.js";
import { createCross, placeCross } from "../../draw/cross.js";
import { preferences } from "../../preferences.js";
import { mapChoice, nextPalette, otherScale, paletteChoice, scaleChoice } from "../look.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";

/** What a reader can change. */
interface AudioState {
  readonly map: number;
  /** Whose line is drawn: a token's, or that of the mean. */
  readonly token: number | undefined;
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  readonly pointed: GridPlace | undefined;
}

/** Where each written token listens: the sound, the line of one token, a row of colours for each. */
export function audioTimelineView(payload: AudioTimelinePayload, { words, selections }: ViewContext): View {
  const { tokens, time, maps, live, weights: stored } = payload;
  const { columns } = stored;
  const store = createStore<AudioState>({
    map: maps.name.length - 1,
    token: undefined,
    palette: preferences().palette,
    scale: "sqrt",
    pointed: undefined,
  });
  const selection = live && selections?.of(live.run, live.stack);
  const map = mapChoice(maps, selection, words, (value) => store.set({ map: value }));
  const palette = paletteChoice(words, (value) => store.set({ palette: value }));
  const scale = scaleChoice(words, (value) => store.set({ scale: value }));
  const cross = createCross("jp-AttentionAudio");
  const plot = ownKeys(
    element("div", {
      class: "jp-AttentionAudio-plot",
      tabindex: 0,
      role: "application",
      "aria-label": words.__(
        "Attention over a sound: rows are tokens, columns are time; arrow keys move, Enter draws the line of a token",
      ),
    }),
  );
  const legend = createLegend();
  const seconds = Number((time.frames * time.secondsPerFrame).toPrecision(3));
  const shell = createShell(
    {
      className: "jp-AttentionAudio",
      title: payload.title,
      subtitle: words._n("%1 token over %2 s", "%1 tokens over %2 s", tokens.length, String(seconds)),
      mime: audioTimelineMime,
      payload,
      fileName: "attention-sound",
      words,
      tools: [map, palette, scale],
      options: () => {
        const { palette, scale, map, token } = store.state;
        return { palette, scale, audio: { map, token } };
      },
      table,
      draw,
      act(action): void {
        if (action === "toggle-scale") store.set({ scale: otherScale(store.state.scale) });
        if (action === "next-palette") store.set({ palette: nextPalette(store.state.palette) });
      },
      dispose: () => stop(),
    },
    words.__("Point at a row to read when its token listens, click it to draw its line"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(plot, ...notes);
  shell.footer.append(legend.node);
  const stop = store.listen(shell.request);
  let drawn: { readonly key: string; readonly weights: Float32Array; readonly width: number } | undefined;

  const named = (token: number): string => `${token} "${visibleToken(tokens[token] ?? "")}"`;

  function pick(token: number | undefined): void {
    store.set({ token });
    shell.live.say(
      token === undefined
        ? words.__("Mean over all tokens")
        : words.__("Token %1 listens most at %2", named(token), peakText(payload, store.state.map, token)),
    );
  }

  function draw(width: number): void {
    const { pointed, ...look } = store.state;
    map.value = String(look.map);
    palette.value = look.palette;
    scale.value = look.scale;
    const key = JSON.stringify([width, look]);
    if (drawn?.key !== key) {
      plot.replaceChildren(
        pictureNode(drawAudioTimeline(payload, { ...look, width, ink: inks.page, words: false })),
        cross.node,
      );
      drawn = { key, width, weights: audioWeights(payload, look.map) };
      const largest = maps.max[look.map] ?? 0;
      legend.show(key, () => rampContent(weightRamp(niceTop(largest), largest, look.palette, look.scale)));
    }
    if (pointed) {
      const { matrix } = audioTimelineLayout(payload, width, false);
      placeCross(cross, pointed, { ...matrix, rows: tokens.length, columns });
    } else cross.hide();
    const token = pointed?.row ?? look.token;
    shell.read(
      token === undefined
        ? undefined
        : [
            tokenElement(maps.name[look.map] ?? "", "jp-AttentionReading-head"),
            tokenElement(`"${visibleToken(tokens[token] ?? "")}"`, "jp-AttentionReading-token"),
            element(
              "span",
              { class: "jp-AttentionReading-weight" },
              pointed ? `→ ${momentText(pointed)}` : words.__("largest at %1", peakText(payload, look.map, token)),
            ),
          ],
    );
  }

  /** A moment and the weight there, which is stored in 8 bits. */
  function momentText({ row, column }: GridPlace): string {
    const at = column * time.block * time.secondsPerFrame;
    const weight = drawn?.weights[row * columns + column] ?? 0;
    return `${at.toFixed(2)} s ≈ ${tickText(Number(weight.toPrecision(2)))}`;
  }

  const under = (event: MouseEvent): GridPlace | undefined => {
    if (!drawn) return undefined;
    const { matrix } = audioTimelineLayout(payload, drawn.width, false);
    const box = plot.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left - matrix.left) / matrix.width) * columns);
    const row = Math.floor(((event.clientY - box.top - matrix.top) / matrix.height) * tokens.length);
    // A click on the name of a token means its row.
    return row >= 0 && row < tokens.length && column < columns ? { row, column: Math.max(0, column) } : undefined;
  };
  const point = (pointed: GridPlace | undefined): void => {
    const here = store.state.pointed;
    if (pointed?.row !== here?.row || pointed?.column !== here?.column) store.set({ pointed });
  };
  plot.addEventListener("pointermove", (event) => point(under(event)));
  plot.addEventListener("pointerleave", () => point(undefined));
  plot.addEventListener("click", (event) => {
    const place = under(event);
    if (place) pick(place.row === store.state.token ? undefined : place.row);
  });
  plot.addEventListener("keydown", (event) => {
    const { pointed } = store.state;
    if (event.key === "Escape") {
      handled(event);
      point(undefined);
      return pick(undefined);
    }
    if ((event.key === "Enter" || event.key === " ") && pointed) {
      handled(event);
      return pick(pointed.row);
    }
    const from = pointed ?? { row: 0, column: 0 };
    const next = gridMove(event, from, tokens.length, columns);
    if (!next) return;
    handled(event);
    const place = pointed ? next : from;
    point(place);
    shell.live.say(`${named(place.row)} → ${momentText(place)}`);
  });

  function table(): HTMLElement {
    const { map: shown } = store.state;
    const rows = tokens.map((token, at) =>
      element(
        "tr",
        {},
        element("td", {}, String(at)),
        element("th", { scope: "row" }, tokenElement(visibleToken(token), "jp-AttentionTable-token")),
        element("td", {}, peakText(payload, shown, at)),
        element("td", {}, tickText(Number((maps.mass[shown * tokens.length + at] ?? 0).toPrecision(4)))),
        ...(payload.starts ? [element("td", {}, `${(payload.starts[at] ?? 0).toFixed(2)} s`)] : []),
      ),
    );
    const headings = [
      words.__("place"),
      words.__("token"),
      words.__("largest weight at"),
      words.__("attention shown"),
      ...(payload.starts ? [words.__("begins at")] : []),
    ];
    return tableRegion(tableOf(words.__("%1: when each token listens", maps.name[shown] ?? ""), headings, rows), words);
  }
  return shell.view;
}
