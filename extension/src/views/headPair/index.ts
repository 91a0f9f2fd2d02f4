import {
  differenceColours,
  differenceMask,
  isMasked,
  maskColour,
  paletteColours,
  pairSummary,
  pairTop,
  scalePosition,
  shadeLevel,
  shadeRamp,
  visibleToken,
  type PaletteName,
  type ScaleName,
} from "attention-lab/figure";
import { headPairMime, readPair, type HeadPairPayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import type { GridPlace } from "../../a11y/gridKeys.js";
import { element, tokenElement } from "../../dom/element.js";
import { createLegend } from "../../dom/legend.js";
import { createStore } from "../../dom/store.js";
import { preferences } from "../../preferences.js";
import type { Words } from "../../words.js";
import { formatWeight, tokenSpan } from "../headGrid/model.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import { createPairPanel, type PairPanel, type PanelPicture } from "./panel.js";
import { nextPalette, otherScale, paletteChoice, scaleChoice, weightLegend } from "../look.js";

const tableRows = 2_000;
const gap = 18;
const narrow = 560;
const largestPanel = 420;

interface PairState {
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  readonly pointed: GridPlace | undefined;
  readonly picked: GridPlace | undefined;
}

/** Two heads side by side and their difference, with one cross-hair over all three. */
export function headPairView(payload: HeadPairPayload, { words }: ViewContext): View {
  const { names, causal, queryTokens, keyTokens, block } = payload;
  const { rows, columns, a, b, difference } = readPair(payload);
  const top = pairTop(payload);
  const { palette: firstPalette, scale: firstScale } = preferences();
  const store = createStore<PairState>({
    palette: firstPalette,
    scale: firstScale,
    pointed: undefined,
    picked: undefined,
  });
  const palette = paletteChoice(words, (value) => store.set({ palette: value }));
  const scale = scaleChoice(words, (value) => store.set({ scale: value }));
  const hint = words.__("rows are queries, columns are keys; arrow keys move, Enter pins");
  const titles = [`A: ${names[0] ?? ""}`, `B: ${names[1] ?? ""}`, "A − B"];
  const panels: readonly PairPanel[] = titles.map((name) =>
    createPairPanel({
      name,
      label: `${name}: ${hint}`,
      onPoint: (pointed, keyed) => {
        store.set({ pointed });
        if (pointed && keyed) shell.live.say(plain(pointed));
      },
      onPick: (cell) => {
        const { picked } = store.state;
        const same = picked?.row === cell.row && picked.column === cell.column;
        store.set({ picked: same ? undefined : cell });
        shell.live.say(same ? words.__("Unpinned") : words.__("Pinned: %1", plain(cell)));
      },
    }),
  );
  const weights = createLegend();
  const differences = createLegend();
  const isHidden = (row: number, column: number): boolean =>
    causal && isMasked(row, column, block, queryTokens.length, keyTokens.length);

  const pictureOf = (at: number, state: PairState): PanelPicture => ({
    values: [a, b, difference][at] ?? a,
    rows,
    columns,
    mask: { isHidden, colour: pixelOf(at < 2 ? maskColour(state.palette) : differenceMask) },
    colourOf: at < 2 ? weightColour(state, top) : differenceColour(state.scale, top),
  });

  const reading = ({ row, column }: GridPlace): readonly Node[] => {
    const at = row * columns + column;
    const text = (value: number): string => (value < 0 ? "−" : "") + formatWeight(Math.abs(value), "float16", 1);
    const named = (name: string, value: number): readonly Node[] => [
      element("span", { class: "jp-AttentionReading-word" }, name),
      element(
        "span",
        { class: "jp-AttentionReading-weight" },
        isHidden(row, column) ? words.__("masked") : text(value),
      ),
    ];
    return [
      element(
        "span",
        { class: "jp-AttentionReading-tokens" },
        ...token(queryTokens, payload.otherQueryTokens, row),
        " ← ",
        ...token(keyTokens, payload.otherKeyTokens, column),
      ),
      ...named("A", a[at] ?? 0),
      ...named("B", b[at] ?? 0),
      ...named("A − B", difference[at] ?? 0),
      element("span", { class: "jp-AttentionReading-note" }, noteOf({ row, column })),
    ];
  };
  const token = (
    own: readonly string[],
    other: readonly string[] | undefined,
    at: number,
  ): readonly (Node | string)[] => {
    const [one, two] = [own, other].map((tokens) => tokens && tokenSpan(tokens, at, block));
    const shown = tokenElement(`"${one ?? ""}"`, "jp-AttentionReading-token");
    return two === undefined || one === two
      ? [shown]
      : [shown, " / ", tokenElement(`"${two}"`, "jp-AttentionReading-token")];
  };
  const noteOf = ({ row, column }: GridPlace): string =>
    block > 1
      ? words.__("largest of %1 × %1 weights, and their largest difference", block)
      : words.__("positions %1 ← %2", row, column);
  const plain = (cell: GridPlace): string => reading(cell).map(({ textContent }) => textContent).join(" "); // prettier-ignore

  const body = element("div", { class: "jp-AttentionPair-panels" }, ...panels.map(({ node }) => node));
  const shell = createShell(
    {
      className: "jp-AttentionPair",
      title: payload.title,
      subtitle: pairSummary(payload),
      mime: headPairMime,
      payload,
      fileName: "heads-compared",
      words,
      tools: [palette, scale],
      options: () => ({ palette: store.state.palette, scale: store.state.scale }),
      table: () => pairTable(payload, words),
      draw(width): void {
        const { state } = store;
        palette.value = state.palette;
        scale.value = state.scale;
        const across = width < narrow ? 1 : 3;
        const room = Math.min(largestPanel, (width - (across - 1) * gap) / across - 4);
        panels.forEach((panel, at) => {
          panel.draw(`${state.palette} ${state.scale}`, room, pictureOf(at, state));
          panel.mark(state.pointed, state.picked);
        });
        weights.show(`${state.palette} ${state.scale}`, () => weightLegend(state.palette, state.scale, top, words));
        differences.show(state.scale, () => differenceLegend(state.scale, top, words));
        const cell = state.pointed ?? state.picked;
        shell.read(cell ? reading(cell) : undefined);
      },
      act(action): void {
        if (action === "toggle-scale") store.set({ scale: otherScale(store.state.scale) });
        if (action === "next-palette") store.set({ palette: nextPalette(store.state.palette) });
      },
      dispose(): void {
        stop();
        for (const panel of panels) panel.dispose();
      },
    },
    words.__("Point at a square to read both heads, click to pin it"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(body, ...notes);
  shell.footer.append(element("div", { class: "jp-AttentionPair-legends" }, weights.node, differences.node));
  const stop = store.listen(shell.request);
  return shell.view;
}

/** A colour as a word in the byte order of canvas pixels; nothing where it is transparent. */
function pixelOf([red, green, blue, opacity]: readonly [number, number, number, number]): number {
  return opacity === 0 ? 0 : (new Uint32Array(Uint8Array.of(red, green, blue, opacity).buffer)[0] ?? 0);
}

/** Words of canvas pixels for 256 steps of a ramp. */
function pixelTable(rgb: Uint8Array): Uint32Array {
  const count = rgb.length / 3;
  const bytes = new Uint8Array(4 * count);
  for (let step = 0; step < count; step++) {
    bytes.set(rgb.subarray(3 * step, 3 * step + 3), 4 * step);
    bytes[4 * step + 3] = 255;
  }
  return new Uint32Array(bytes.buffer);
}

function weightColour({ palette, scale }: PairState, top: number): (value: number) => number {
  const table = pixelTable(paletteColours(palette));
  return (value) => table[Math.round(255 * scalePosition(value, top, scale))] ?? 0;
}

function differenceColour(scale: ScaleName, top: number): (value: number) => number {
  const table = pixelTable(differenceColours(253));
  return (value) => table[shadeLevel(value, { kind: "diverging", scale, top })] ?? 0;
}

function differenceLegend(scale: ScaleName, top: number, words: Words) {
  const { ticks } = shadeRamp({ kind: "diverging", scale, top }, "A − B");
  return {
    colours: differenceColours(23),
    ticks: ticks.filter(({ value }) => Math.abs(value) === top || value === 0),
    text: words.__("A − B from −%1 to %1", top),
  };
}

function pairTable({ queryTokens, keyTokens, totalVariation, largest }: HeadPairPayload, words: Words): HTMLElement {
  const number = (value: number): string => String(Number(value.toPrecision(4))).replace("-", "−");
  const cell = (tokens: readonly string[], at: number): HTMLElement =>
    element("td", {}, tokenElement(visibleToken(tokens[at] ?? ""), "jp-AttentionTable-token"), ` ${at}`);
  const most = largest.map(({ query, key, a, b }) =>
    element(
      "tr",
      {},
      cell(queryTokens, query),
      cell(keyTokens, key),
      ...[a, b, a - b].map((value) => element("td", {}, number(value))),
    ),
  );
  const rows = queryTokens
    .slice(0, tableRows)
    .map((_, at) => element("tr", {}, cell(queryTokens, at), element("td", {}, number(totalVariation[at] ?? 0))));
  return element(
    "div",
    {},
    tableRegion(
      tableOf(words.__("Where they differ most"), [words.__("query"), words.__("key"), "A", "B", "A − B"], most),
      words,
    ),
    tableRegion(tableOf(words.__("Each query"), [words.__("query"), words.__("total variation")], rows), words),
  );
}
