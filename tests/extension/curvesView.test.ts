// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { curves, curvesMime } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";

const payload = curves(
  [
    { name: "one", x: [0, 1, 2, 3], y: [4, 3, 2, 1], ci: [[3, 5], [2, 4], [1, 3], [0, 2]] }, // prettier-ignore
    { name: "two", x: [0, 1.4, 3], y: [10, 20, 30] },
  ],
  { title: "Two curves", xLabel: "step", yLabel: "loss", notes: ["a note"] },
);

let view: View;
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const press = (key: string): void =>
  void document
    .querySelector(".jp-AttentionCurves-plot")
    ?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));
const lines = (): number => document.querySelectorAll(".jp-AttentionCurves-plot path[stroke-linejoin]").length;

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
  view = viewOf(curvesMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("the curves view", () => {
  it("draws every curve, with its name, its notes and a description", () => {
    expect(lines()).toBe(2);
    expect([...document.querySelectorAll(".jp-AttentionCurves-name")].map((name) => name.textContent)).toEqual([
      "one",
      "two",
    ]);
    expect(text(".jp-AttentionFigure-note")).toBe("a note");
    expect(document.querySelector("svg[role=img]")?.getAttribute("aria-label")).toContain("loss over step");
    expect(document.querySelector("svg > title")).toBeNull();
  });

  it("reads all curves by keyboard, with intervals, in a live region", async () => {
    press("Home");
    press("ArrowRight");
    await frame();
    expect(text(".jp-AttentionReading")).toContain("step 1");
    expect(text(".jp-AttentionReading")).toContain("one 3 (2 … 4)");
    expect(text(".jp-AttentionLive")).toBe("step 1, one 3 (2 … 4), two 20");
    press("End");
    expect(text(".jp-AttentionLive")).toContain("step 3, one 1");
    press("Escape");
    await frame();
    expect(text(".jp-AttentionReading")).toContain("Point at the curves");
  });

  it("hides a curve by its name", async () => {
    document.querySelectorAll<HTMLElement>(".jp-AttentionCurves-name")[0]?.click();
    await frame();
    expect(lines()).toBe(1);
    expect(document.querySelectorAll('.jp-AttentionCurves-name[aria-pressed="false"]')).toHaveLength(1);
  });

  it("changes its scale by action, and shows its numbers as a table", async () => {
    sendAction(view.node, "toggle-scale");
    sendAction(view.node, "toggle-table");
    await frame();
    expect(document.querySelector('.jp-AttentionButton[aria-pressed="true"]')?.textContent).toBe("log y");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(7);
    expect(text("tbody tr")).toBe("one043 … 5");
  });
});
