// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { attributionGraphLayout, inks } from "attention-lab/figure";
import { attributionGraph, attributionGraphMime } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { createSelections } from "../../extension/src/link/selections.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";

const payload = attributionGraph(
  [
    { from: "embed", to: "0.0 q", score: 0.8 },
    { from: "0.0", to: "1.1 k", score: 0.4 },
    { from: "1.1", to: "logits", score: -0.2 },
    { from: "0.1", to: "logits", score: 0.1 },
  ],
  { title: "Edges", live: { run: "r", stack: "" } },
);
const { places } = attributionGraphLayout(payload, { width: 700, ink: inks.page, words: false, least: 0 });

let view: View;
let selections: ReturnType<typeof createSelections>;
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const plot = (): HTMLElement => document.querySelector<HTMLElement>(".jp-AttentionGraph-plot")!;
const press = (key: string): void =>
  void plot().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const mouse = (type: string, name: string): void => {
  const { x, y } = places[payload.nodes.name.indexOf(name)];
  plot().dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, bubbles: true }));
};
const lit = (): number => document.querySelectorAll(".edge.jp-mod-lit").length;
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
  selections = createSelections();
  view = viewOf(attributionGraphMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords, selections });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("the attribution graph", () => {
  it("lights the paths through a node, and no others", async () => {
    mouse("pointermove", "1.1");
    await frame();
    expect(lit()).toBe(3);
    expect(text(".jp-AttentionReading")).toBe("1.1into it 0.4 (1)out of it −0.2 (1)largest 0.0 → 1.1 k 0.4");
    mouse("pointermove", "0.1");
    await frame();
    expect(lit()).toBe(1);
  });

  it("chooses a head in its run by a click, and shows the one that is chosen elsewhere", async () => {
    mouse("click", "0.0");
    expect(selections.of("r", "").state.head).toEqual({ layer: 0, head: 0 });
    expect(text(".jp-AttentionLive")).toMatch(/^Kept: 0\.0, into it 0\.8/);
    selections.of("r", "").set({ head: { layer: 0, head: 1 } });
    await frame();
    expect(lit()).toBe(1);
  });

  it("goes from node to node by keys", async () => {
    press("ArrowUp");
    expect(text(".jp-AttentionLive")).toMatch(/^embed/);
    press("ArrowUp");
    expect(text(".jp-AttentionLive")).toMatch(/^0\.[01]/);
    press("Enter");
    await frame();
    expect(document.querySelector<HTMLElement>(".jp-AttentionGraph-cursor")?.hidden).toBe(false);
    press("Escape");
    await frame();
    expect(lit()).toBe(0);
  });

  it("draws fewer edges as the slider says, and tells how much weight is left", async () => {
    expect(text(".jp-AttentionGraph-told")).toBe("4 of 4 edges, of 0.1 and more: 100 % of the weight of all");
    const slider = document.querySelector<HTMLInputElement>("input[type=range]")!;
    slider.value = "100";
    slider.dispatchEvent(new Event("input"));
    await frame();
    expect(text(".jp-AttentionGraph-told")).toBe("1 of 4 edges, of 0.8 and more: 53.3 % of the weight of all");
    expect(slider.getAttribute("aria-valuetext")).toBe(text(".jp-AttentionGraph-told"));
    expect(document.querySelectorAll(".edge")).toHaveLength(1);
    sendAction(view.node, "toggle-table");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(1);
  });
});
