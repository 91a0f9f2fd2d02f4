// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { headGridMime, headPairMime } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { createStore } from "../../extension/src/dom/store.js";
import { extremePixels } from "../../extension/src/draw/extremes.js";
import type { LiveRun, LiveStatus } from "../../extension/src/link/liveRun.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View, ViewContext } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { syntheticHeadGrid, tokensOf } from "../gallery/headGrid.js";
import { syntheticHeadPair } from "../gallery/headPair.js";

let view: View | undefined;
const show = (mime: typeof headGridMime | typeof headPairMime, value: unknown, context: Partial<ViewContext> = {}) => {
  view = viewOf(mime, JSON.parse(JSON.stringify(value)), { words: sourceWords, ...context });
  document.body.replaceChildren(view.node);
  view.draw();
};
const settled = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
};
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const matrices = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(".jp-AttentionPair-matrix")];
const press = (node: HTMLElement, key: string): void =>
  void node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const button = (name: string): HTMLButtonElement =>
  [...document.querySelectorAll("button")].find((each) => each.textContent === name)!;
const cell = (layer: number, head: number): HTMLElement =>
  document.querySelector<HTMLElement>(`[data-layer="${layer}"][data-head="${head}"]`)!;

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
});
afterEach(() => {
  view?.dispose();
  vi.restoreAllMocks();
});

it("keeps the value farthest from 0 where a pixel covers several cells", () => {
  const values = Float32Array.of(0.1, -0.9, 0.2, 0.3, 0, 0, 0.4, 0);
  const mask = { isHidden: (_: number, column: number) => column === 3, colour: 77 };
  const pixels = extremePixels(values, 2, 4, { width: 2, height: 1 }, (value) => Math.round(1000 + 100 * value), mask);
  expect([...pixels]).toEqual([910, 1040]);
  expect([...extremePixels(values, 2, 4, { width: 4, height: 1 }, () => 1, mask)]).toEqual([1, 1, 1, 77]);
});

describe("two heads side by side", () => {
  it("share one cross-hair, and read A, B and their difference", async () => {
    show(headPairMime, syntheticHeadPair(12));
    press(matrices()[2], "ArrowDown");
    press(matrices()[2], "ArrowDown");
    press(matrices()[2], "ArrowDown");
    await settled();
    const [a, b, difference] = [...document.querySelectorAll(".jp-AttentionReading-weight")].map(({ textContent }) => Number(textContent.replace("−", "-"))); // prettier-ignore
    expect(difference).toBeCloseTo(a - b, 2);
    const crosses = document.querySelectorAll<HTMLElement>(".jp-AttentionCross:not(.jp-mod-pinned)");
    expect([...crosses].map(({ hidden }) => hidden)).toEqual([false, false, false]);
    expect(text(".jp-AttentionLive")).toContain("positions 2 ← 0");
    press(matrices()[0], "End");
    await settled();
    expect(text(".jp-AttentionReading")).toContain("masked");
    press(matrices()[0], "Enter");
    expect(text(".jp-AttentionLive")).toMatch(/^Pinned: /);
  });

  it("say how far apart they are, and have tables", () => {
    show(headPairMime, syntheticHeadPair(12));
    expect(text(".jp-AttentionFigure-subtitle")).toMatch(
      /^total variation 0\.\d+, Jensen–Shannon divergence 0\.\d+ nats/,
    );
    sendAction(view!.node, "toggle-table");
    expect(document.querySelectorAll("tbody")[0].children).toHaveLength(8);
    expect(document.querySelectorAll("tbody")[1].children).toHaveLength(12);
  });
});

describe("comparing in the head grid", () => {
  const grid = syntheticHeadGrid({ layers: 2, heads: 3, causal: true, samples: [tokensOf(10)] });

  it("compares with the head that is clicked with Shift, from what is saved", async () => {
    show(headGridMime, grid);
    cell(0, 1).click();
    cell(1, 2).dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
    await settled();
    expect(matrices()).toHaveLength(3);
    expect(text(".jp-AttentionPair-title")).toBe("A: L0.H1");
    expect(text(".jp-AttentionPair .jp-AttentionFigure-note")).toContain("16 bits");
    button("Close the comparison").click();
    await settled();
    expect(matrices()).toHaveLength(0);
  });

  it("compares by a button and the next head that is chosen; the kernel is asked where it holds the run", async () => {
    const asked: Record<string, unknown>[] = [];
    const run: LiveRun = {
      status: createStore<{ readonly now: LiveStatus }>({ now: { state: "live", modes: ["zero"] } }),
      ask: (question) => {
        asked.push({ ...question });
        return Promise.resolve({ data: { payload: syntheticHeadPair(10) }, buffers: [] });
      },
    };
    show(headGridMime, { ...grid, live: { run: "r", stack: "" } }, { live: () => run });
    cell(0, 1).click();
    await settled();
    button("Compare").click();
    await settled();
    expect(text(".jp-AttentionReading")).toContain("Choose the other head");
    cell(1, 0).click();
    await settled();
    expect(asked.at(-1)).toEqual({ ask: "pair", stack: "", sample: 0, layer: 0, head: 1, otherLayer: 1, otherHead: 0 });
    expect(matrices()).toHaveLength(3);
    expect(text(".jp-AttentionFocus-name")).toBe("L0.H1");
  });

  it("says why it cannot where only squares are saved", async () => {
    const pooled = syntheticHeadGrid({ layers: 1, heads: 2, samples: [tokensOf(40)], budgetBytes: 2_500 });
    show(headGridMime, pooled);
    cell(0, 0).click();
    cell(0, 1).dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
    await settled();
    expect(text(".jp-AttentionHeadGrid-pair")).toContain("run the cell to compare heads");
  });
});
