import {
  isMasked,
  maskColour,
  niceTop,
  paletteColours,
  largestWeight,
  scalePosition,
  shadeLevel,
  visibleToken,
  writtenStrip,
  type ScaleName,
  type ShadeLook,
} from "attention-lab/figure";
import { generationMime, readPatterns, type GenerationPayload, type PatternReader } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import type { GridPlace } from "../../a11y/gridKeys.js";
import { ownKeys } from "../../a11y/shortcuts.js";
import { choice } from "../../dom/choice.js";
import { element, tokenElement } from "../../dom/element.js";
import { createLegend } from "../../dom/legend.js";
import { createStore } from "../../dom/store.js";
import { preferences } from "../../preferences.js";
import { shadeLegend } from "../../text/shadeLegend.js";
import { createTokenText, hiddenLevel } from "../../text/tokenText.js";
import type { Words } from "../../words.js";
import { formatWeight } from "../headGrid/model.js";
import { headGridView } from "../headGrid/index.js";
import { createPairPanel, type PanelPicture } from "../headPair/panel.js";
import { createShell } from "../shell.js";
import { tabbedView } from "../tabs.js";
import type { View, ViewContext } from "../view.js";
import { otherScale, scaleChoice, weightLegend } from "../look.js";

/** What shades the words: how little a token was expected, or where the token of the step looks. */
type Shading = "surprise" | "attention";

interface TimelineState {
  readonly text: number;
  readonly step: number;
  readonly shading: Shading;
  readonly layer: number;
  readonly head: number;
  readonly scale: ScaleName;
  readonly pointed: GridPlace | undefined;
}

/** What a model wrote, step by step; with attention, every head of it in a second tab. */
export function generationView(payload: GenerationPayload, context: ViewContext): View {
  const { grid } = payload;
  if (!grid) return timelineView(payload, context);
  const { words } = context;
  return tabbedView("jp-AttentionGeneration", payload.title, [
    { name: words.__("Timeline"), view: () => timelineView(payload, context) },
    { name: words.__("All heads"), view: () => headGridView(grid, { words }) },
  ]);
}

function timelineView(payload: GenerationPayload, { words }: ViewContext): View {
  const { texts, grid } = payload;
  const store = createStore<TimelineState>({
    text: 0,
    step: 0,
    shading: grid ? "attention" : "surprise",
    layer: grid ? grid.layers - 1 : 0,
    head: 0,
    scale: "sqrt",
    pointed: undefined,
  });
  const readers = new Map<number, PatternReader>();
  const top = grid ? niceTop(largestWeight(grid)) : 1;
  /** The attention of every step of the chosen head, as it is stored. */
  const pattern = (): (PatternReader & { readonly weights: Float32Array }) | undefined => {
    const { text, layer, head } = store.state;
    const sample = grid?.samples[text];
    if (!grid || !sample) return undefined;
    const reader = readers.get(text) ?? readPatterns(sample.patterns, grid.heads, sample.scalars.max);
    readers.set(text, reader);
    return { ...reader, weights: reader.head(layer, head) };
  };

  const numbers = (count: number, name: string): { value: string; label: string }[] =>
    Array.from({ length: count }, (_, at) => ({ value: String(at), label: `${name}${at}` }));
  const textChoice = choice(
    words.__("Text"),
    texts.map(({ prompt }, at) => ({ value: String(at), label: `${at}. ${prompt.map(visibleToken).join(" ").slice(0, 40)}` })), // prettier-ignore
    (value) => store.set({ text: Number(value), step: 0, pointed: undefined }),
  );
  textChoice.hidden = texts.length < 2;
  const shading = choice(
    words.__("Shading"),
    [
      { value: "attention", label: words.__("where the step looks") },
      { value: "surprise", label: words.__("surprise") },
    ],
    (value) => store.set({ shading: value as Shading }),
  );
  const layer = choice(words.__("Layer"), numbers(grid?.layers ?? 0, "L"), (value) => store.set({ layer: Number(value) })); // prettier-ignore
  const head = choice(words.__("Head"), numbers(grid?.heads ?? 0, "H"), (value) => store.set({ head: Number(value) }));
  for (const tool of [shading, layer, head]) tool.hidden = !grid;
  const scale = scaleChoice(words, (value) => store.set({ scale: value }));
  const slider = ownKeys(
    element("input", { class: "jp-AttentionTimeline-slider", type: "range", min: 0, step: 1, "aria-label": words.__("Step") }), // prettier-ignore
  );
  slider.addEventListener("input", () => {
    store.set({ step: Number(slider.value) });
    shell.live.say(stepText());
  });
  const stepLine = element("div", { class: "jp-AttentionTimeline-step" });
  const paper = createTokenText({
    label: words.__("Text: arrow keys move, Enter goes to the step of a new token"),
    words,
    onPoint: () => undefined,
    onPick: (at) => {
      const step = at - (texts[store.state.text]?.prompt.length ?? 0);
      if (step >= 0) store.set({ step });
      shell.live.say(stepText());
    },
  });
  const panel = createPairPanel({
    name: words.__("Attention of each step"),
    label: words.__(
      "Attention of each step: rows are steps, columns are tokens; arrow keys move, Enter goes to a step",
    ),
    onPoint: (pointed, keyed) => {
      store.set({ pointed });
      if (pointed && keyed) shell.live.say(cellText(pointed));
    },
    onPick: ({ row }) => {
      store.set({ step: Math.min(row * blockNow(), stepCount() - 1) });
      shell.live.say(stepText());
    },
  });
  panel.node.hidden = !grid;
  const blockNow = (): number => grid?.samples[store.state.text]?.patterns.block ?? 1;
  const stepCount = (): number => texts[store.state.text]?.tokens.length ?? 1;
  const [legend, pictureLegend] = [createLegend(), createLegend()];

  const percent = (chance: number): string => `${Number((100 * chance).toPrecision(3))} %`;
  const stepParts = (): { token: string; numbers: string; likely: readonly { token: string; chance: number }[] } => {
    const { text, step } = store.state;
    const { tokens = [], chances = [], entropyNats = [], likely = [] } = texts[text] ?? {};
    return {
      token: tokens[step] ?? "",
      numbers: words.__("chance %1, entropy %2 nats", percent(chances[step] ?? 0), String(Number((entropyNats[step] ?? 0).toPrecision(3)))), // prettier-ignore
      likely: likely[step] ?? [],
    };
  };
  const stepText = (): string => {
    const { token, numbers: said } = stepParts();
    return words.__('step %1 of %2: "%3", %4', store.state.step + 1, stepCount(), visibleToken(token), said);
  };
  const showStep = (): void => {
    const { token, numbers: said, likely } = stepParts();
    stepLine.replaceChildren(
      element("span", { class: "jp-AttentionReading-head" }, words.__("step %1 of %2", store.state.step + 1, stepCount())), // prettier-ignore
      tokenElement(`"${visibleToken(token)}"`, "jp-AttentionReading-token"),
      element("span", {}, said),
      element("span", { class: "jp-AttentionReading-note" }, words.__("likeliest:")),
      ...likely.map((other) =>
        element(
          "span",
          { class: "jp-AttentionReading-tokens" },
          tokenElement(`"${visibleToken(other.token)}"`, "jp-AttentionReading-token"),
          ` ${percent(other.chance)}`,
        ),
      ),
    );
  };
  const cellText = ({ row, column }: GridPlace): string => {
    const found = pattern();
    const sample = grid?.samples[store.state.text];
    if (!found || !sample) return "";
    const { block, columns, weights, codec } = found;
    const isHidden = isMasked(row, column, block, sample.queryTokens.length, sample.keyTokens.length);
    const weight = isHidden
      ? words.__("not written yet")
      : formatWeight(weights[row * columns + column] ?? 0, codec, block);
    const named = (tokens: readonly string[], at: number): string => `"${visibleToken(tokens[at * block] ?? "")}" ${at * block}`; // prettier-ignore
    return words.__("step %1 → %2: %3", named(sample.queryTokens, row), named(sample.keyTokens, column), weight);
  };

  const shade = (state: TimelineState): { look: ShadeLook; measure: string } => {
    const { text, step } = state;
    const found = pattern();
    const { prompt = [], tokens = [] } = texts[text] ?? {};
    if (state.shading === "attention" && found) {
      const look: ShadeLook = { kind: "sequential", scale: state.scale, top };
      const levels = Int16Array.from({ length: prompt.length + tokens.length }, (_, at) => {
        if (at >= prompt.length + step) return hiddenLevel;
        const { block, columns, weights } = found;
        return shadeLevel(weights[Math.floor(step / block) * columns + Math.floor(at / block)], look);
      });
      paper.shade("sequential", levels);
      const note = found.block > 1 ? words.__("attention weight, the largest of %1 × %1", found.block) : words.__("attention weight"); // prettier-ignore
      return { look, measure: note };
    }
    const { values, measure } = writtenStrip(payload, text);
    const most = values.reduce<number>((largest, value) => Math.max(largest, value ?? 0), 0);
    const look: ShadeLook = { kind: "sequential", scale: state.scale, top: niceTop(most) };
    paper.shade(
      "sequential",
      Int16Array.from(values, (value) => shadeLevel(value, look)),
    );
    return { look, measure };
  };

  const pictureOf = ({ text, scale: scaleNow }: TimelineState): PanelPicture | undefined => {
    const found = pattern();
    const sample = grid?.samples[text];
    if (!found || !sample) return undefined;
    const { palette } = preferences();
    const rgb = paletteColours(palette);
    const bytes = new Uint8Array(256 * 4).fill(255);
    for (let level = 0; level < 256; level++) bytes.set(rgb.subarray(3 * level, 3 * level + 3), 4 * level);
    const table = new Uint32Array(bytes.buffer);
    const [red, green, blue, opacity] = maskColour(palette);
    const colour = opacity === 0 ? 0 : (new Uint32Array(Uint8Array.of(red, green, blue, opacity).buffer)[0] ?? 0);
    return {
      values: found.weights,
      rows: found.rows,
      columns: found.columns,
      colourOf: (value) => table[Math.round(255 * scalePosition(value, top, scaleNow))] ?? 0,
      mask: {
        isHidden: (row, column) => isMasked(row, column, found.block, sample.queryTokens.length, sample.keyTokens.length), // prettier-ignore
        colour,
      },
    };
  };

  const laid = texts.map(({ prompt, tokens }) => [...prompt, ...tokens]);
  const shell = createShell(
    {
      className: "jp-AttentionTimeline",
      title: payload.title,
      subtitle: words._n("%1 new token", "%1 new tokens", texts[0]?.tokens.length ?? 0),
      mime: generationMime,
      payload,
      fileName: "generated",
      words,
      tools: [textChoice, shading, layer, head, scale],
      options: () => {
        const { text, shading: by, layer: l, head: h, scale: scaleNow } = store.state;
        return {
          sample: text,
          scale: scaleNow,
          ...(grid && by === "attention" ? { head: { layer: l, head: h } } : {}),
        };
      },
      table: () => stepTable(payload, store.state.text, words),
      draw(width): void {
        const { state } = store;
        textChoice.value = String(state.text);
        shading.value = state.shading;
        layer.value = String(state.layer);
        head.value = String(state.head);
        scale.value = state.scale;
        slider.max = String(stepCount() - 1);
        slider.value = String(state.step);
        slider.setAttribute("aria-valuetext", stepText());
        paper.lay(laid[state.text] ?? []);
        const shown = shade(state);
        paper.mark((texts[state.text]?.prompt.length ?? 0) + state.step, undefined);
        showStep();
        const picture = pictureOf(state);
        const block = blockNow();
        if (picture) {
          panel.draw(`${state.text} ${state.layer}.${state.head} ${state.scale}`, width - 4, picture);
          panel.mark(state.pointed, { row: Math.floor(state.step / block), column: 0 });
        }
        legend.show(JSON.stringify(shown), () => shadeLegend(shown.look, shown.measure));
        const { palette } = preferences();
        pictureLegend.node.hidden = picture === undefined;
        pictureLegend.show(`${palette} ${state.scale}`, () => weightLegend(palette, state.scale, top, words));
        shell.read(state.pointed ? [element("span", {}, cellText(state.pointed))] : undefined);
      },
      act(action): void {
        if (action === "toggle-scale") store.set({ scale: otherScale(store.state.scale) });
      },
      dispose(): void {
        stop();
        panel.dispose();
      },
    },
    words.__("Move the slider, or click a new token, to go through the steps"),
  );
  const notes = payload.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(slider, stepLine, paper.node, legend.node, panel.node, pictureLegend.node, ...notes);
  const stop = store.listen(shell.request);
  return shell.view;
}

function stepTable({ texts }: GenerationPayload, text: number, words: Words): HTMLElement {
  const { tokens = [], chances = [], entropyNats = [], likely = [] } = texts[text] ?? {};
  const short = (value: number | undefined): string => String(Number((value ?? 0).toPrecision(4)));
  const rows = tokens.map((token, step) =>
    element(
      "tr",
      {},
      element("td", {}, String(step + 1)),
      element("th", { scope: "row" }, tokenElement(visibleToken(token), "jp-AttentionTable-token")),
      element("td", {}, short(chances[step])),
      element("td", {}, short(entropyNats[step])),
      element(
        "td",
        {},
        ...(likely[step] ?? []).flatMap((other) => [
          tokenElement(visibleToken(other.token), "jp-AttentionTable-token"),
          ` ${short(other.chance)}  `,
        ]),
      ),
    ),
  );
  const headings = [words.__("step"), words.__("token"), words.__("chance"), words.__("entropy (nats)"), words.__("likeliest")]; // prettier-ignore
  return tableRegion(tableOf(words.__("Each new token"), headings, rows), words);
}
