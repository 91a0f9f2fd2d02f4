// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { encodeTile, headGridMime, type HeadEffect, type HeadGridPayload } from "attention-lab/views";
import { sendRequest } from "../../extension/src/actions.js";
import { createStore } from "../../extension/src/dom/store.js";
import { LiveError, type AskOptions, type LiveAnswer, type LiveStatus } from "../../extension/src/link/liveRun.js";
import { createSelections } from "../../extension/src/link/selections.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View, ViewContext } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { syntheticHeadGrid, tokensOf } from "../gallery/headGrid.js";

const long = tokensOf(40);
const payload: HeadGridPayload = {
  ...syntheticHeadGrid({ layers: 2, heads: 3, causal: true, samples: [long], budgetBytes: 4_000 }),
  live: { run: "r1", stack: "" },
};
const effect: HeadEffect = { layer: 1, head: 2, mode: "zero", sample: 0, loss: [3, 3.5], moved: [0, 0, 0, 0, 0, 0.25] };

interface Question extends Readonly<Record<string, unknown>> {
  readonly ask: string;
}

/** A kernel that holds the run and answers when the test says so. */
class FakeRun {
  readonly asked: Question[] = [];
  readonly status = createStore<{ readonly now: LiveStatus }>({ now: { state: "live", modes: ["zero", "mean"] } });
  answers: Record<string, (question: Question, options: AskOptions) => Promise<LiveAnswer>> = {};
  ask = (question: Question, options: AskOptions = {}): Promise<LiveAnswer> => {
    this.asked.push(question);
    return this.answers[question.ask]?.(question, options) ?? Promise.reject(new LiveError("failed", "not answered"));
  };
}

let views: View[] = [];
const show = (run: FakeRun | undefined, context: Partial<ViewContext> = {}): HTMLElement => {
  const live = run && ((): never => run as never);
  const view = viewOf(headGridMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords, live, ...context });
  views.push(view);
  document.body.append(view.node);
  view.draw();
  return view.node;
};
const cell = (node: HTMLElement, layer: number, head: number): HTMLButtonElement =>
  node.querySelector(`[data-layer="${layer}"][data-head="${head}"]`)!;
const settled = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
};
const text = (node: HTMLElement, selector: string): string => node.querySelector(selector)?.textContent ?? "";
const button = (node: HTMLElement, name: string): HTMLButtonElement =>
  [...node.querySelectorAll("button")].find((each) => each.textContent === name)!;

beforeEach(() => {
  document.body.replaceChildren();
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
});
afterEach(() => {
  for (const view of views) view.dispose();
  views = [];
  vi.restoreAllMocks();
});

it("asks for nothing while it is only drawn", () => {
  const run = new FakeRun();
  show(run);
  expect(run.asked).toEqual([]);
});

it("fetches a pooled head in full when it is enlarged, and reads weights as the run holds them", async () => {
  expect(payload.samples[0].patterns.block).toBeGreaterThan(1);
  const run = new FakeRun();
  const weights = new Float32Array(40 * 40);
  weights[7 * 40 + 3] = 0.5;
  const tile = encodeTile(weights, 40, 40);
  const buffers = [tile.kept, tile.weights].map((bytes) => new DataView(bytes.buffer));
  run.answers = {
    tile: () => Promise.resolve({ data: { rows: 40, columns: 40, block: 1 }, buffers }),
    weight: ({ row, column }) =>
      Promise.resolve({ data: { query: row, key: column, weight: 0.123456789, rank: 2 }, buffers: [] }),
  };
  const node = show(run);
  cell(node, 1, 2).click();
  await settled();
  expect(run.asked[0]).toEqual({ ask: "tile", stack: "", layer: 1, head: 2, sample: 0, coarseness: 0 });
  const matrix = node.querySelector<HTMLElement>(".jp-AttentionFocus-matrix")!;
  matrix.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  await settled();
  expect(run.asked.at(-1)).toMatchObject({ ask: "weight", row: 0, column: 0, coarseness: 0 });
  expect(text(node, ".jp-AttentionReading-weight")).toBe("0.1235");
  cell(node, 1, 1).click();
  cell(node, 1, 2).click();
  await settled();
  expect(run.asked.filter(({ ask, head }) => ask === "tile" && head === 2)).toHaveLength(1);
});

it("ablates on request, says how far it is, shows and saves what came", async () => {
  const run = new FakeRun();
  const saved: HeadGridPayload[] = [];
  let answer: (value: LiveAnswer) => void = () => undefined;
  run.answers["ablate"] = (_, { onProgress }) => {
    onProgress?.({ state: "heard" });
    return new Promise((resolve) => (answer = resolve));
  };
  const node = show(run, { save: (changed) => saved.push(changed as HeadGridPayload) });
  sendRequest(node, { kind: "ablate", layer: 1, head: 2, mode: "zero" });
  await settled();
  expect(run.asked.at(-1)).toMatchObject({ ask: "ablate", layer: 1, head: 2, mode: "zero", sample: 0 });
  expect(text(node, ".jp-AttentionAblation-note")).toBe("The model runs …");
  expect(button(node, "Cancel").hidden).toBe(false);
  answer({ data: { effect }, buffers: [] });
  await settled();
  expect(text(node, ".jp-AttentionHeadEffect-title")).toBe("Without L1.H2: zero output");
  expect(text(node, ".jp-AttentionHeadEffect-numbers")).toContain("3.0000 → 3.5000 +0.5000");
  expect(cell(node, 1, 2).classList.contains("jp-mod-ablated")).toBe(true);
  expect(saved).toEqual([{ ...payload, effects: [effect] }]);
});

it("can be cancelled, and tells what went wrong", async () => {
  const run = new FakeRun();
  run.answers["ablate"] = (_, { signal }) =>
    new Promise((_resolve, reject) =>
      signal!.addEventListener("abort", () => reject(new LiveError("cancelled", "cancelled"))),
    );
  const node = show(run);
  cell(node, 0, 1).dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
  await settled();
  button(node, "Cancel").click();
  await settled();
  expect(text(node, ".jp-AttentionAblation-note")).toBe("");
  run.answers["ablate"] = () => Promise.reject(new LiveError("failed", "out of memory"));
  button(node, "Ablate").click();
  await settled();
  expect(text(node, ".jp-AttentionAblation-note")).toBe("Not ablated: out of memory");
});

it("says why nothing can be asked, and asks nothing", async () => {
  const run = new FakeRun();
  const node = show(run);
  cell(node, 0, 0).click();
  await settled();
  run.status.set({ now: { state: "saved", reason: "kernel-lost" } });
  await settled();
  const before = run.asked.length;
  expect(button(node, "Ablate").disabled).toBe(true);
  expect(text(node, ".jp-AttentionAblation-note")).toMatch(/kernel was restarted or stopped, run the cell/);
  sendRequest(node, { kind: "ablate" });
  cell(node, 1, 1).click();
  await settled();
  expect(run.asked).toHaveLength(before);
  const untrusted = show(undefined, { saved: "untrusted" });
  cell(untrusted, 0, 0).click();
  await settled();
  expect(text(untrusted, ".jp-AttentionAblation-note")).toMatch(/untrusted notebook/);
});

it("shares the chosen head with the other figures of the run; only one that follows enlarges it", async () => {
  const selections = createSelections();
  const [one, other, inspector] = [{}, {}, { follows: true }].map((more) => show(undefined, { selections, ...more }));
  cell(one, 1, 1).click();
  await settled();
  expect(cell(other, 1, 1).classList.contains("jp-mod-chosen")).toBe(true);
  expect(other.classList.contains("jp-mod-focused")).toBe(false);
  expect(text(inspector, ".jp-AttentionFocus-name")).toBe("L1.H1");
  cell(inspector, 0, 2).click();
  await settled();
  expect(text(one, ".jp-AttentionFocus-name")).toBe("L0.H2");
});

it("takes over results that another figure of the output saved", async () => {
  const node = show(undefined);
  expect(views[0].update?.({ ...payload, effects: [effect] })).toBe(true);
  await settled();
  expect(text(node, ".jp-AttentionHeadEffect-history")).toContain("L1.H2 zero output");
  expect(views[0].update?.({ ...payload, live: { run: "r2", stack: "" } })).toBe(false);
});
