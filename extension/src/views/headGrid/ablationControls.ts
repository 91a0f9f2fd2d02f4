import type { HeadAblation } from "attention-lab/views";
import { ownKeys } from "../../a11y/shortcuts.js";
import { choice } from "../../dom/choice.js";
import { element } from "../../dom/element.js";
import type { LiveStatus } from "../../link/liveRun.js";
import type { Words } from "../../words.js";
import type { HeadGridState, HeadGridStore } from "./state.js";

/** The ways to take a head out, a button for it, and how far it is. */
export interface AblationControls {
  readonly node: HTMLElement;
  readonly show: (state: HeadGridState, status: LiveStatus) => void;
}

/** How a way to take a head out is called. */
export function modeName(mode: HeadAblation, words: Words): string {
  const names: Readonly<Record<HeadAblation, string>> = {
    zero: words.__("zero output"),
    mean: words.__("mean output"),
    uniform: words.__("even attention"),
    bos: words.__("first token only"),
    zeroPattern: words.__("no attention"),
  };
  return names[mode];
}

/** Why nothing can be asked, and what to do. */
export function statusText(status: LiveStatus, words: Words): string {
  if (status.state === "connecting") return words.__("Asking the kernel for this run …");
  if (status.state === "live") return words.__("Connected: the kernel holds this run");
  switch (status.reason) {
    case "untrusted":
      return words.__("Saved picture of an untrusted notebook; run the cell to ablate heads");
    case "no-kernel":
      return words.__("Saved picture; start the kernel and run the cell to ablate heads");
    case "gone":
      return words.__("Saved picture; the kernel does not hold this run, run the cell to ablate heads");
    case "kernel-lost":
      return words.__("Saved picture; the kernel was restarted or stopped, run the cell to ablate heads");
  }
}

/** `start` and `cancel` do what the buttons say. */
export function createAblationControls(
  store: HeadGridStore,
  words: Words,
  start: () => void,
  cancel: () => void,
): AblationControls {
  const modes = choice(words.__("How the head is taken out"), [], (mode) => store.set({ mode: mode as HeadAblation }));
  const run = ownKeys(
    element("button", { class: "jp-AttentionButton jp-mod-primary", type: "button" }, words.__("Ablate")),
  );
  const stop = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }, words.__("Cancel")));
  const note = element("span", { class: "jp-AttentionAblation-note" });
  const bar = element("progress", { class: "jp-AttentionAblation-progress", "aria-label": words.__("Ablation") });
  const node = element("div", { class: "jp-AttentionAblationControls" }, modes, run, stop, bar, note);
  run.addEventListener("click", start);
  stop.addEventListener("click", cancel);
  let offered = "";
  return {
    node,
    show({ mode, ablating, failure }, status): void {
      const known = status.state === "live" ? (status.modes as readonly HeadAblation[]) : [mode];
      if (known.join() !== offered) {
        offered = known.join();
        modes.replaceChildren(
          ...known.map((each) => element("option", { value: each }, modeName(each, words) || String(each))),
        );
      }
      modes.value = known.includes(mode) ? mode : (known[0] ?? mode);
      const isLive = status.state === "live";
      modes.disabled = run.disabled = !isLive || ablating !== undefined;
      run.hidden = ablating !== undefined;
      stop.hidden = bar.hidden = ablating === undefined;
      const why = statusText(status, words);
      run.title = isLive ? words.__("Take this head out and run the model again (A, or Alt and click)") : why;
      if (ablating?.progress.state === "at work") {
        bar.max = ablating.progress.total;
        bar.value = ablating.progress.done;
      } else bar.removeAttribute("value");
      note.textContent = ablating ? progressText(ablating.progress.state, words) : (failure ?? (isLive ? "" : why));
      note.classList.toggle("jp-mod-failed", failure !== undefined && !ablating);
    },
  };
}

function progressText(state: "sent" | "heard" | "at work", words: Words): string {
  if (state === "sent") return words.__("Waiting for the kernel …");
  return state === "heard" ? words.__("The model runs …") : words.__("Comparing …");
}
