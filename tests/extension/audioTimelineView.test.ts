// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { audioTimelineLayout } from "attention-lab/figure";
import { audioTimelineMime } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { audioTimelineExamples } from "../gallery/audioTimeline.js";

const payload = audioTimelineExamples["audio"]();
const { matrix } = audioTimelineLayout(payload, 700, false);
let view: View;
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const plot = (): HTMLElement => document.querySelector<HTMLElement>(".jp-AttentionAudio-plot")!;
const press = (key: string): void =>
  void plot().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const mouse = (type: string, token: number, seconds: number): void => {
  const clientX = matrix.left + (seconds / 4.8) * matrix.width + 0.1;
  const clientY = matrix.top + ((token + 0.5) / payload.tokens.length) * matrix.height;
  plot().dispatchEvent(new PointerEvent(type, { clientX, clientY, bubbles: true }));
};
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
  view = viewOf(audioTimelineMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("attention over a sound", () => {
  it("reads a token, a moment and its weight", async () => {
    mouse("pointermove", 4, 1.24);
    await frame();
    expect(text(".jp-AttentionReading")).toMatch(/^mean of 2 heads"␣Quilter"→ 1\.24 s ≈ 0\.\d+$/);
  });

  it("draws the line of a clicked token, and of all again", async () => {
    expect(text(".jp-AttentionAudio-plot svg")).toContain("mean");
    mouse("click", 4, 2);
    await frame();
    expect(text(".jp-AttentionLive")).toMatch(/^Token 4 "␣Quilter" listens most at 1\.\d\d s$/);
    expect(text(".jp-AttentionAudio-plot svg")).toContain("largest at 1.");
    mouse("click", 4, 2);
    await frame();
    expect(text(".jp-AttentionAudio-plot svg")).not.toContain("largest at");
  });

  it("is walked by keys", async () => {
    for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) press(key);
    expect(text(".jp-AttentionLive")).toMatch(/^1 "<\|en\|>" → 0\.02 s ≈ /);
    press("Enter");
    expect(text(".jp-AttentionLive")).toMatch(/^Token 1 /);
    press("Escape");
    await frame();
    expect(text(".jp-AttentionLive")).toBe("Mean over all tokens");
  });

  it("changes map and scale, and has a table of when each token listens", async () => {
    const select = document.querySelector<HTMLSelectElement>('select[aria-label="Whose attention"]')!;
    select.value = "0";
    select.dispatchEvent(new Event("change"));
    sendAction(view.node, "toggle-scale");
    await frame();
    expect(document.querySelector<HTMLSelectElement>('select[aria-label="Colour scale"]')!.value).toBe("linear");
    sendAction(view.node, "toggle-table");
    expect(text("caption")).toBe("L0 mean: when each token listens");
    const rows = [...document.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)); // prettier-ignore
    expect(rows).toHaveLength(12);
    expect(rows[4]).toEqual(["4", "␣Quilter", `${(payload.maps.peak[4] * 0.02).toFixed(2)} s`, "1", "1.10 s"]);
  });
});
