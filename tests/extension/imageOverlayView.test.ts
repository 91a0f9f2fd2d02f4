// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { imageOverlayLayout } from "attention-lab/figure";
import { imageOverlayMime } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { imageOverlayExamples } from "../gallery/imageOverlay.js";

const payload = imageOverlayExamples["overlay"]();
const { left, top, width, height } = imageOverlayLayout(payload, 700, false);
let view: View;
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const plot = (): HTMLElement => document.querySelector<HTMLElement>(".jp-AttentionOverlay-plot")!;
const press = (key: string): void =>
  void plot().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const mouse = (type: string, row: number, column: number): void => {
  const [clientX, clientY] = [left + ((column + 0.5) / 14) * width, top + ((row + 0.5) / 14) * height];
  plot().dispatchEvent(new PointerEvent(type, { clientX, clientY, bubbles: true }));
};
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));
const shown = (): string => document.querySelectorAll("image")[1]?.getAttribute("href") ?? "";

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
  view = viewOf(imageOverlayMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("attention over a picture", () => {
  it("starts with the class token and the last map, and reads patches", async () => {
    expect(text(".jp-AttentionReading")).toBe("L11 mean[CLS]");
    mouse("pointermove", 5, 8);
    await frame();
    expect(text(".jp-AttentionReading")).toMatch(/^L11 mean\[CLS\]→ r5c8 ≈ 0\.0/);
  });

  it("shows what a clicked patch attends to, and goes back", async () => {
    const before = shown();
    mouse("click", 2, 3);
    await frame();
    expect(text(".jp-AttentionLive")).toBe("Attention of r2c3");
    expect(shown()).not.toBe(before);
    press("Escape");
    await frame();
    expect(shown()).toBe(before);
  });

  it("is walked by keys", async () => {
    for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) press(key);
    expect(text(".jp-AttentionLive")).toMatch(/^r1c1 ≈ /);
    press("Enter");
    expect(text(".jp-AttentionLive")).toBe("Attention of r1c1");
    await frame();
    expect(document.querySelectorAll("svg rect")).toHaveLength(1);
  });

  it("draws round the mask, and round large weights", async () => {
    const outline = (): string => document.querySelector(".outline")?.getAttribute("d") ?? "";
    const round = outline();
    expect(round.length).toBeGreaterThan(100);
    const select = document.querySelector<HTMLSelectElement>('select[aria-label="Outline"]')!;
    for (const value of ["0.5", "none"]) {
      select.value = value;
      select.dispatchEvent(new Event("change"));
      await frame();
      expect(outline() === "").toBe(value === "none");
      expect(outline()).not.toBe(round);
    }
  });

  it("changes map and opacity, and has a table of weights, the largest first", async () => {
    const opacity = document.querySelector<HTMLInputElement>("input[type=range]")!;
    opacity.value = "0";
    opacity.dispatchEvent(new Event("input"));
    await frame();
    expect(document.querySelectorAll("image")[1]?.getAttribute("opacity")).toBe("0");
    const select = document.querySelector<HTMLSelectElement>('select[aria-label="Whose attention"]')!;
    select.value = "0";
    select.dispatchEvent(new Event("change"));
    await frame();
    expect(text(".jp-AttentionReading")).toBe("L0 mean[CLS]");
    sendAction(view.node, "toggle-table");
    const values = [...document.querySelectorAll("tbody td")].map((cell) => Number(cell.textContent?.slice(2)));
    expect(values).toHaveLength(196);
    expect(values).toEqual([...values].sort((a, b) => b - a));
  });
});
