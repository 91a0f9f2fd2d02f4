// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { headGridMime, readPatterns } from "attention-lab/views";
import { croppedLevels } from "../../extension/src/draw/raster.js";
import { panned, showing, wholeView, zoomed } from "../../extension/src/views/headGrid/viewport.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { syntheticHeadGrid, tokensOf } from "../gallery/headGrid.js";

const all = wholeView(64, 32);

describe("a part of a matrix", () => {
  it("zooms about the place that is pointed at", () => {
    expect(zoomed(all, all, 2, { down: 0, across: 1 })).toEqual({ query: 0, key: 16, queries: 32, keys: 16 });
    expect(zoomed(all, all, 2)).toEqual({ query: 16, key: 8, queries: 32, keys: 16 });
  });

  it("never leaves the matrix, and comes back to all of it", () => {
    let view = all;
    for (let i = 0; i < 30; i++) view = zoomed(view, all, 1.5, { down: 1, across: 0 });
    expect(view).toEqual({ query: 60, key: 0, queries: 4, keys: 2 });
    expect(panned(view, all, 1000, -1000)).toEqual(view);
    for (let i = 0; i < 30; i++) view = zoomed(view, all, 1 / 1.5);
    expect(view).toEqual(all);
    const single = wholeView(1, 1);
    expect(zoomed(single, single, 9)).toEqual(single);
  });

  it("follows a token that leaves it, and stays where it is seen", () => {
    const view = zoomed(all, all, 4);
    expect(showing(view, all, view.query + 1, view.key)).toEqual(view);
    expect(showing(view, all, 63, 0)).toMatchObject({ query: 48, key: 0 });
  });

  it("is cut out of the levels row by row", () => {
    const levels = Uint16Array.from({ length: 12 }, (_, at) => at);
    const part = { row: 1, column: 2, rows: 2, columns: 2 };
    expect([...croppedLevels(levels, 4, part)]).toEqual([6, 7, 10, 11]);
    expect(croppedLevels(levels, 4, { row: 0, column: 0, rows: 3, columns: 4 })).toBe(levels);
  });
});

describe("the enlarged head", () => {
  const payload = syntheticHeadGrid({ layers: 1, heads: 2, causal: true, samples: [tokensOf(24)] });
  let view: View;
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
  };
  const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
  const matrix = (): HTMLElement => document.querySelector<HTMLElement>(".jp-AttentionFocus-matrix")!;
  const press = (key: string, shiftKey = false): void =>
    void matrix().dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  const button = (name: string): HTMLButtonElement =>
    [...document.querySelectorAll("button")].find((each) => each.textContent === name)!;
  const labels = (): string[] =>
    [...document.querySelectorAll(".jp-mod-queries .jp-AttentionTokens-token:not(.jp-mod-active)")].map((each) => each.textContent ?? ""); // prettier-ignore
  const weights = readPatterns(payload.samples[0].patterns, 2, payload.samples[0].scalars.max).head(0, 1);

  beforeEach(async () => {
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
    view = viewOf(headGridMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords });
    document.body.replaceChildren(view.node);
    view.draw();
    document.querySelector<HTMLElement>('[data-layer="0"][data-head="1"]')!.click();
    await settled();
  });
  afterEach(() => {
    view.dispose();
    vi.restoreAllMocks();
  });

  it("zooms by keys, and its tokens follow", async () => {
    expect(labels()).toHaveLength(24);
    press("+");
    press("+");
    await settled();
    expect(labels()).toHaveLength(11);
    expect(matrix().classList.contains("jp-mod-zoomed")).toBe(true);
    press("0");
    await settled();
    expect(labels()).toHaveLength(24);
    expect(button("0").disabled).toBe(true);
  });

  it("reads the true weight of the square under the pointer where it is zoomed", async () => {
    press("+");
    press("+");
    await settled();
    const canvas = document.querySelector<HTMLElement>(".jp-AttentionFocus-canvas")!;
    const [width, height] = [parseFloat(canvas.style.width), parseFloat(canvas.style.height)];
    vi.spyOn(canvas, "getBoundingClientRect").mockReturnValue({ left: 0, top: 0, width, height } as DOMRect);
    matrix().dispatchEvent(new PointerEvent("pointermove", { clientX: 1, clientY: height - 1, bubbles: true }));
    await settled();
    const [, query, key] = /positions (\d+) ← (\d+)/.exec(text(".jp-AttentionReading"))!.map(Number);
    expect(query - key).toBe(10);
    expect(key).toBeGreaterThan(0);
    expect(Number(text(".jp-AttentionReading-weight"))).toBeCloseTo(weights[query * 24 + key], 3);
  });

  it("follows the keyboard out of the part that is shown", async () => {
    press("+");
    press("+");
    press("ArrowDown");
    press("PageDown");
    await settled();
    expect(text(".jp-AttentionLive")).toContain("positions 23 ←");
    expect(labels()).toHaveLength(11);
  });

  it("lists the strongest keys of a row that is locked, and turns round", async () => {
    press("PageDown");
    press("PageDown");
    press("l");
    await settled();
    const row = Array.from(weights.subarray(23 * 24, 24 * 24)).sort((a, b) => b - a);
    const shown = [...document.querySelectorAll(".jp-AttentionLock li .jp-AttentionReading-weight")];
    expect(shown).toHaveLength(16);
    expect(Number(shown[0].textContent)).toBeCloseTo(row[0], 3);
    expect(text(".jp-AttentionLock-heading")).toContain("23 looks at");
    expect(text(".jp-AttentionLock .jp-AttentionFigure-note")).toMatch(/^16 of 24 tokens hold 0\.\d+ of 1/);
    button("Other direction").click();
    await settled();
    expect(text(".jp-AttentionLock-heading")).toContain("23 is looked at by");
    button("Unlock").click();
    await settled();
    expect(document.querySelector<HTMLElement>(".jp-AttentionLock")!.hidden).toBe(true);
  });

  it("is shown as a text, whose words tell where they look", async () => {
    button("As text").click();
    await settled();
    expect(document.querySelector<HTMLElement>(".jp-AttentionFocus-plot")!.hidden).toBe(true);
    const word = document.querySelector<HTMLElement>('.jp-AttentionText-token[data-at="9"]')!;
    word.dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
    await settled();
    expect(text(".jp-AttentionReading")).toMatch(/→.*drawn (0\.999\d|1\.00\d) of \1/);
    const ramp = (): string => document.querySelector<HTMLElement>(".jp-AttentionLegend-ramp")!.style.backgroundImage;
    expect(ramp()).toContain("rgb(247 247 247)");
    button("As text").click();
    await settled();
    expect(ramp()).not.toContain("rgb(247 247 247)");
    expect(document.querySelector<HTMLElement>(".jp-AttentionFocus-plot")!.hidden).toBe(false);
  });
});
