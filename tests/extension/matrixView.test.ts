// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { matrixLayout } from "attention-lab/figure";
import { matrixMime } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { syntheticPatching } from "../gallery/effects.js";

const payload = syntheticPatching();
let view: View;
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const plot = (): HTMLElement => document.querySelector<HTMLElement>(".jp-AttentionMatrix-plot")!;
const press = (key: string): void =>
  void plot().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
  view = viewOf(matrixMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("the matrix view", () => {
  it("reads the cell under the pointer from the numbers, not from the colours", async () => {
    const { area, cellWidth, cellHeight } = matrixLayout(payload, 700, false);
    const [clientX, clientY] = [area.left + 6.5 * cellWidth, area.top + 9.5 * cellHeight];
    plot().dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }));
    await frame();
    expect(text(".jp-AttentionReading")).toBe("layer 9head 60.61");
    plot().dispatchEvent(new PointerEvent("pointermove", { clientX: 2, clientY: 2, bubbles: true }));
    await frame();
    expect(text(".jp-AttentionReading")).toContain("Point at a cell");
  });

  it("moves by keys, says what it finds, and pins", async () => {
    press("ArrowDown");
    press("End");
    press("PageDown");
    expect(text(".jp-AttentionLive")).toBe("layer 11, head 11: –");
    press("ArrowLeft");
    press("Enter");
    await frame();
    expect(text(".jp-AttentionLive")).toMatch(/^Pinned: layer 11, head 10: −?0\.0/);
    expect(document.querySelector<HTMLElement>(".jp-AttentionCross.jp-mod-pinned")?.hidden).toBe(false);
  });

  it("has a table of all numbers, and no palette to choose for differences", async () => {
    sendAction(view.node, "toggle-table");
    await frame();
    expect(document.querySelectorAll("tbody tr")).toHaveLength(12);
    expect(document.querySelectorAll("tbody td")).toHaveLength(144);
    expect(document.querySelectorAll("tbody tr")[9]?.children[7]?.textContent).toBe("0.61");
    expect(document.querySelector<HTMLElement>("select")?.hidden).toBe(true);
  });
});
