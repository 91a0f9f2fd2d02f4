import { visibleToken, type ScaleName } from "attention-lab/figure";
import { tokenStripMime, type LiveLines, type TokenStripPayload } from "attention-lab/views";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import { choice } from "../../dom/choice.js";
import { element, tokenElement } from "../../dom/element.js";
import { createLegend } from "../../dom/legend.js";
import { createStore } from "../../dom/store.js";
import { createAttentionPane } from "../../text/attentionPane.js";
import { shadeLegend } from "../../text/shadeLegend.js";
import type { Words } from "../../words.js";
import { statusText } from "../headGrid/ablationControls.js";
import { createShell } from "../shell.js";
import type { View, ViewContext } from "../view.js";
import { createLiveStrip, type StripHead } from "./liveStrip.js";
import { otherScale, scaleChoice } from "../look.js";

const tableRows = 4_000;

/** What a reader can change. */
interface StripState {
  readonly payload: TokenStripPayload;
  readonly scale: ScaleName;
}

/** A text shaded by a number per token; with attention, every token tells where it looks and who looks at it. */
export function tokenStripView(first: TokenStripPayload, context: ViewContext): View {
  const { words } = context;
  const store = createStore<StripState>({ payload: first, scale: first.attention ? "sqrt" : "linear" });
  const scale = scaleChoice(words, (value) => store.set({ scale: value }));
  const pane = createAttentionPane(
    words,
    (text) => shell.live.say(text),
    () => shell.request(),
  );
  const place = first.live;
  const kernel = createLiveStrip({
    ...{ words, place, saved: context.saved ?? "no-kernel" },
    live: place && context.live?.(place.run),
    request: () => shell.request(),
    arrived(payload) {
      store.set({ payload });
      shell.live.say(payload.attention?.caption ?? payload.title);
      // A click in another figure does not change what the notebook holds.
      if (!isOwnChoice) return;
      const { head = null, layer = 0 } = payload.live ?? {};
      if (head !== null) selection?.set({ head: { layer, head } });
      context.save?.(payload);
    },
    failed: (reason) => shell.announce(words.__("Not shown: %1", reason)),
  });
  const selection = place && context.selections?.of(place.run, place.stack);
  let isOwnChoice = false;
  const choose = (head: StripHead, isOwn: boolean): void => {
    isOwnChoice = isOwn;
    kernel.choose(head);
  };
  const heads = headChoices(place, words, (head) => choose(head, true));
  const light = element("span", { class: "jp-AttentionHeadGrid-light", role: "img" });
  light.hidden = !place;
  const caption = element("span", { class: "jp-AttentionStrip-caption" });
  const legend = createLegend();
  const shell = createShell(
    {
      className: "jp-AttentionStrip",
      title: first.title,
      subtitle: words._n("%1 token", "%1 tokens", first.tokens.length),
      mime: tokenStripMime,
      get payload(): TokenStripPayload {
        return store.state.payload;
      },
      fileName: "tokens",
      words,
      tools: [light, ...heads.nodes, ...pane.tools, scale],
      options: () => {
        const token = pane.selected();
        return { scale: store.state.scale, ...(token ? { token } : {}) };
      },
      table: () => stripTable(store.state.payload, words),
      draw(): void {
        const { payload, ...look } = store.state;
        const status = kernel.status();
        light.dataset["state"] = status.state;
        light.title = statusText(status, words);
        light.setAttribute("aria-label", light.title);
        heads.show(payload.live, status.state === "live");
        scale.value = look.scale;
        caption.textContent = [...(payload.attention ? [payload.attention.caption] : []), payload.measure].join(" · ");
        const { tokens, values, kind, measure } = payload;
        pane.draw({ tokens, resting: { values, kind, measure }, source: kernel.source(payload), scale: look.scale });
        const shown = pane.look();
        legend.show(JSON.stringify(shown), () => shadeLegend(shown.look, shown.measure));
        shell.read(pane.reading());
      },
      act(action): void {
        if (action === "toggle-scale") store.set({ scale: otherScale(store.state.scale) });
      },
      dispose(): void {
        stop();
        endSharing?.();
        kernel.dispose();
      },
    },
    first.attention
      ? words.__("Point at a token to see its attention, click to pin it")
      : words.__("Point at a token to read its number"),
  );
  const notes = first.notes.map((note) => element("p", { class: "jp-AttentionFigure-note" }, note));
  shell.body.append(caption, pane.node, ...notes);
  shell.footer.append(legend.node);
  const stop = store.listen(shell.request);
  const endSharing = selection?.listen(({ head }, before) => {
    const now = store.state.payload.live;
    const isNew = head && head !== before.head && !(head.layer === now?.layer && head.head === now.head);
    if (isNew && kernel.status().state === "live") choose(head, false);
  });
  return {
    ...shell.view,
    update(changed): boolean {
      const other = changed as TokenStripPayload;
      const isSame = other.live?.run === place?.run && other.tokens.join("\0") === first.tokens.join("\0");
      if (isSame) store.set({ payload: other });
      return isSame;
    },
  };
}

/** Choosers of layer and head; `"mean"` is the mean over the heads of the layer. */
function headChoices(
  place: LiveLines | undefined,
  words: Words,
  choose: (head: StripHead) => void,
): { readonly nodes: readonly HTMLElement[]; readonly show: (now: LiveLines | undefined, isLive: boolean) => void } {
  if (!place) return { nodes: [], show: () => undefined };
  const numbers = (count: number, name: string): { value: string; label: string }[] =>
    Array.from({ length: count }, (_, at) => ({ value: String(at), label: `${name}${at}` }));
  const chosen = (): void =>
    choose({ layer: Number(layer.value), head: head.value === "mean" ? null : Number(head.value) });
  const layer = choice(words.__("Layer"), numbers(place.layers, "L"), chosen);
  const mean = { value: "mean", label: words.__("mean") };
  const head = choice(words.__("Head"), [mean, ...numbers(place.heads, "H")], chosen);
  return {
    nodes: [layer, head],
    show(now, isLive): void {
      layer.disabled = head.disabled = !isLive;
      layer.value = String(now?.layer ?? 0);
      head.value = String(now?.head ?? "mean");
    },
  };
}

function stripTable({ tokens, values, measure, attention }: TokenStripPayload, words: Words): HTMLElement {
  const rows = tokens
    .slice(0, tableRows)
    .map((token, at) =>
      element(
        "tr",
        {},
        element("td", {}, String(at)),
        element("th", { scope: "row" }, tokenElement(visibleToken(token), "jp-AttentionTable-token")),
        element("td", {}, typeof values[at] === "number" ? String(Number(values[at].toPrecision(4))) : "–"),
      ),
    );
  const caption = attention ? `${attention.caption}: ${measure}` : measure;
  return tableRegion(tableOf(caption, [words.__("position"), words.__("token"), measure], rows), words);
}
