import { niceTop, shadeLevel, visibleToken, type ScaleName, type ShadeLook } from "attention-lab/figure";
import { largestKeys } from "attention-lab/views";
import { ownKeys } from "../a11y/shortcuts.js";
import { choice } from "../dom/choice.js";
import { element, tokenElement } from "../dom/element.js";
import { createStore } from "../dom/store.js";
import type { Words } from "../words.js";
import { createLinePlot } from "./linePlot.js";
import { isHidden, type Along, type LineSource, type ShownLine } from "./lineSource.js";
import { createTokenText, hiddenLevel } from "./tokenText.js";

/** Numbers that shade the text while no word is pointed at. */
export interface RestingShades {
  readonly values: readonly (number | null)[];
  readonly kind: ShadeLook["kind"];
  readonly measure: string;
}

/** What the pane shows now. */
export interface AttentionPaneContent {
  /** The text; with a source its keys. */
  readonly tokens: readonly string[];
  readonly resting: RestingShades;
  readonly source: LineSource | undefined;
  readonly scale: ScaleName;
}

/** A text in which every word tells where it looks and who looks at it. */
export interface AttentionPane {
  readonly node: HTMLElement;
  /** Direction, and whether lines are drawn. */
  readonly tools: readonly HTMLElement[];
  readonly draw: (content: AttentionPaneContent) => void;
  /** The word whose attention shades the text. */
  readonly selected: () => { readonly at: number; readonly along: Along } | undefined;
  /** The colours shown, and what they mean. */
  readonly look: () => { readonly look: ShadeLook; readonly measure: string };
  /** What is to be read, or nothing. */
  readonly reading: () => readonly (Node | string)[] | undefined;
}

interface PaneState {
  readonly along: Along;
  readonly picked: { readonly at: number; readonly along: Along } | undefined;
  readonly pointed: { readonly at: number; readonly side: Along } | undefined;
  readonly isDrawn: boolean;
}

/** An empty pane; it asks to be drawn by `request`, and says by `say` what keys lead to. */
export function createAttentionPane(words: Words, say: (text: string) => void, request: () => void): AttentionPane {
  const store = createStore<PaneState>({ along: "query", picked: undefined, pointed: undefined, isDrawn: false });
  let content: AttentionPaneContent | undefined;
  let shown: { readonly look: ShadeLook; readonly measure: string } = {
    look: { kind: "sequential", scale: "linear", top: 1 },
    measure: "",
  };
  const direction = choice(
    words.__("Direction"),
    [
      { value: "query", label: words.__("where a token looks") },
      { value: "key", label: words.__("who looks at a token") },
    ],
    (value) => {
      const along = value as Along;
      const { picked } = store.state;
      store.set({ along, picked: picked && { at: picked.at, along } });
    },
  );
  const linesButton = ownKeys(
    element("button", { class: "jp-AttentionButton", type: "button", "aria-pressed": "false" }, words.__("Lines")),
  );
  linesButton.addEventListener("click", () => store.set({ isDrawn: !store.state.isDrawn }));
  const textOf = (side: Along | "both", label: string): ReturnType<typeof createTokenText> =>
    createTokenText({
      label,
      words,
      onPoint: (at, keyed) => {
        const own = side === "both" ? store.state.along : side;
        store.set({ pointed: at === undefined ? undefined : { at, side: own } });
        if (at !== undefined && keyed) say(plainReading());
      },
      onPick: (at) => {
        const along = side === "both" ? store.state.along : side;
        const { picked } = store.state;
        const same = picked?.at === at && picked.along === along;
        store.set({ picked: same ? undefined : { at, along } });
        say(same ? words.__("Unpinned") : words.__("Pinned: %1", plainReading()));
      },
    });
  const hint = words.__("arrow keys move, Enter pins");
  const single = textOf("both", words.__("Text: %1", hint));
  const queries = textOf("query", words.__("Queries: %1", hint));
  const keys = textOf("key", words.__("Keys: %1", hint));
  const plot = createLinePlot(words, (at) => {
    const { picked, along } = store.state;
    store.set({ picked: { at, along: picked?.along ?? along } });
  });
  const pair = element(
    "div",
    { class: "jp-AttentionText-pair" },
    element("p", { class: "jp-AttentionText-title" }, words.__("Queries")),
    queries.node,
    element("p", { class: "jp-AttentionText-title" }, words.__("Keys")),
    keys.node,
  );
  const node = element("div", { class: "jp-AttentionPane" }, single.node, pair, plot.node);
  store.listen(request);

  const isPair = (source: LineSource | undefined): source is LineSource =>
    source !== undefined && source.queries !== source.keys;

  const selected = (): { at: number; along: Along } | undefined => {
    const { picked, pointed } = store.state;
    if (!content?.source) return undefined;
    const found = picked ?? (pointed && { at: pointed.at, along: pointed.side });
    const own = found?.along === "key" ? content.source.keys : content.source.queries;
    return found && found.at < own.length ? found : undefined;
  };

  /** The weight between the picked word and the pointed one. */
  const between = (source: LineSource, line: ShownLine): { at: number; weight: string } | undefined => {
    const { picked, pointed } = store.state;
    if (!picked || !pointed || (isPair(source) && pointed.side === picked.along)) return undefined;
    const isMasked =
      picked.along === "query" ? isHidden(source, picked.at, pointed.at) : isHidden(source, pointed.at, picked.at);
    const weight = isMasked ? words.__("masked") : line.format(line.weights[pointed.at] ?? 0);
    return { at: pointed.at, weight };
  };

  const numberText = (value: number | null | undefined): string =>
    typeof value === "number" ? String(Number(value.toPrecision(4))).replace("-", "−") : "–";

  function reading(): readonly (Node | string)[] | undefined {
    const { pointed } = store.state;
    const choiceNow = selected();
    const source = content?.source;
    if (!content) return undefined;
    if (!choiceNow || !source) {
      if (!pointed) return undefined;
      return [
        quoted(content.tokens[pointed.at] ?? ""),
        element("span", { class: "jp-AttentionReading-weight" }, numberText(content.resting.values[pointed.at])),
        element("span", { class: "jp-AttentionReading-note" }, words.__("position %1 · %2", pointed.at, content.resting.measure)), // prettier-ignore
      ];
    }
    const { at, along } = choiceNow;
    const line = source.line(along, at);
    const [own, others] = along === "query" ? [source.queries, source.keys] : [source.keys, source.queries];
    const met = between(source, line);
    const rest = met
      ? [quoted(others[met.at] ?? "", met.at), element("span", { class: "jp-AttentionReading-weight" }, met.weight)]
      : [...largestKeys(line.weights, 3)]
          .sort((a, b) => (line.weights[b] ?? 0) - (line.weights[a] ?? 0))
          .flatMap((place) => [
            quoted(others[place] ?? "", place),
            element("span", { class: "jp-AttentionReading-weight" }, line.format(line.weights[place] ?? 0)),
          ]);
    return [
      quoted(own[at] ?? "", at),
      element("span", { class: "jp-AttentionReading-word" }, along === "query" ? "→" : "←"),
      ...rest,
      element("span", { class: "jp-AttentionReading-note" }, lineNote(line)),
    ];
  }

  const lineNote = ({ drawn, mass, note }: ShownLine): string =>
    [
      mass === undefined
        ? words.__("sum of what is drawn: %1", drawn.toPrecision(4))
        : words.__("drawn %1 of %2", drawn.toPrecision(4), mass.toPrecision(4)),
      ...(note === undefined ? [] : [note]),
    ].join(" · ");

  const plainReading = (): string =>
    (reading() ?? []).map((part) => (typeof part === "string" ? part : (part.textContent ?? ""))).join(" ");

  const quoted = (token: string, at?: number): HTMLElement =>
    element(
      "span",
      { class: "jp-AttentionReading-tokens" },
      tokenElement(`"${visibleToken(token)}"`, "jp-AttentionReading-token"),
      ...(at === undefined ? [] : [element("span", { class: "jp-AttentionReading-word" }, ` ${at}`)]),
    );

  const shadedBy = (source: LineSource, { at, along }: { at: number; along: Along }, scale: ScaleName): void => {
    const line = source.line(along, at);
    const look: ShadeLook = { kind: "sequential", scale, top: source.top };
    const levels = Int16Array.from(line.weights, (weight, place) => {
      const isMasked = along === "query" ? isHidden(source, at, place) : isHidden(source, place, at);
      return isMasked ? hiddenLevel : shadeLevel(weight, look);
    });
    shown = { look, measure: words.__("attention weight") };
    if (!isPair(source)) single.shade("sequential", levels);
    else {
      const [own, other] = along === "query" ? [queries, keys] : [keys, queries];
      const count = (along === "query" ? source.queries : source.keys).length;
      own.shade("sequential", new Int16Array(count));
      other.shade("sequential", levels);
    }
  };

  const rest = ({ resting, scale, source }: AttentionPaneContent): void => {
    const { values, kind, measure } = resting;
    const top = niceTop(values.reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0));
    const look: ShadeLook = { kind, scale, top };
    const levels = Int16Array.from(values, (value) => shadeLevel(value, look));
    shown = { look, measure };
    (isPair(source) ? keys : single).shade(kind, levels);
    if (isPair(source)) queries.shade(kind, new Int16Array(source.queries.length));
  };

  return {
    node,
    tools: [direction, linesButton],
    selected,
    look: () => shown,
    reading,
    draw(next): void {
      content = next;
      const { tokens, source, scale } = next;
      const { pointed, picked, isDrawn, along } = store.state;
      const hasPair = isPair(source);
      direction.value = along;
      direction.hidden = !source || hasPair;
      linesButton.hidden = !source;
      linesButton.setAttribute("aria-pressed", String(isDrawn));
      single.node.hidden = hasPair;
      pair.hidden = !hasPair;
      if (hasPair) {
        queries.lay(source.queries);
        keys.lay(source.keys);
      } else single.lay(tokens);
      const now = selected();
      if (now && source) shadedBy(source, now, scale);
      else rest(next);
      const at = (side: Along, mark: { at: number; along?: Along; side?: Along } | undefined): number | undefined =>
        mark && (mark.along ?? mark.side) === side ? mark.at : undefined;
      if (hasPair) {
        queries.mark(at("query", picked), at("query", pointed));
        keys.mark(at("key", picked), at("key", pointed));
      } else single.mark(picked?.at, pointed?.at);
      if (now && source && isDrawn) plot.draw(source, now.along, now.at, source.line(now.along, now.at), scale);
      else plot.clear();
    },
  };
}
