import { headPair, readHeadPair, type HeadPairPayload } from "attention-lab/views";
import { ownKeys } from "../../a11y/shortcuts.js";
import { element } from "../../dom/element.js";
import type { LiveRun } from "../../link/liveRun.js";
import type { Words } from "../../words.js";
import { headPairView } from "../headPair/index.js";
import type { View } from "../view.js";
import type { HeadAddress, HeadGridModel } from "./model.js";
import { headName, type HeadGridStore } from "./state.js";

/** The enlarged head beside another one, and their difference. */
export interface PairPane {
  readonly node: HTMLElement;
  readonly draw: () => void;
  readonly dispose: () => void;
}

/** An empty pane; `live` is the kernel's side of the run where it may be asked now. */
export function createPairPane(
  model: HeadGridModel,
  store: HeadGridStore,
  words: Words,
  live: () => LiveRun | undefined,
): PairPane {
  const slot = element("div", {});
  const close = ownKeys(
    element("button", { class: "jp-AttentionButton", type: "button" }, words.__("Close the comparison")),
  );
  close.addEventListener("click", () => store.set({ other: undefined }));
  const node = element("section", { class: "jp-AttentionHeadGrid-pair", "aria-label": words.__("Two heads compared") }, close, slot); // prettier-ignore
  node.hidden = true;
  let view: View | undefined;
  let shown = "";

  const clear = (): void => {
    view?.dispose();
    view = undefined;
  };
  const show = (payload: HeadPairPayload): void => {
    clear();
    view = headPairView(payload, { words });
    slot.replaceChildren(view.node);
    view.draw();
  };
  const say = (text: string): void => {
    clear();
    slot.replaceChildren(element("p", { class: "jp-AttentionFigure-note" }, text));
  };

  const fetch = async (key: string, run: LiveRun, sample: number, a: HeadAddress, b: HeadAddress): Promise<void> => {
    const stack = model.payload.live?.stack ?? "";
    try {
      const { data } = await run.ask({ ask: "pair", stack, sample, ...a, otherLayer: b.layer, otherHead: b.head });
      if (key === shown) show(readHeadPair(data["payload"]));
    } catch (error) {
      if (key === shown) say(words.__("Not compared: %1", error instanceof Error ? error.message : String(error)));
    }
  };

  return {
    node,
    draw(): void {
      const { focused, other, sample } = store.state;
      node.hidden = !focused || !other;
      if (!focused || !other) {
        shown = "";
        return clear();
      }
      const key = `${sample} ${headName(focused)} ${headName(other)}`;
      if (key === shown) return view?.draw();
      shown = key;
      const run = live();
      if (run) {
        say(words.__("The kernel compares …"));
        void fetch(key, run, sample, focused, other);
        return;
      }
      const saved = savedPair(model, sample, focused, other, words);
      if (saved) show(saved);
      else say(words.__("Only the largest weights of squares are saved; run the cell to compare heads"));
    },
    dispose: clear,
  };
}

/** The comparison from what is saved; none where weights are pooled, for their differences would not be differences of weights. */
function savedPair(
  model: HeadGridModel,
  sample: number,
  a: HeadAddress,
  b: HeadAddress,
  words: Words,
): HeadPairPayload | undefined {
  const [first, second] = [model.source(sample, a), model.source(sample, b)];
  if (first.block > 1) return undefined;
  const { queryTokens, keyTokens } = model.sample(sample);
  const { title, causal, provenance } = model.payload;
  const bits = model.reader(sample).codec === "float16" ? 16 : 8;
  return headPair({
    ...{ title, causal, queryTokens, keyTokens, provenance },
    names: [headName(a), headName(b)],
    patterns: [first.weights, second.weights],
    notes: [words.__("Computed from the saved weights, which have %1 bits.", bits)],
  });
}
