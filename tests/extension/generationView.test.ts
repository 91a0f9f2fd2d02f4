// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { generationMime, type GenerationPayload } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { syntheticGeneration } from "../gallery/generation.js";

let view: View;
const show = (payload: GenerationPayload): void => {
  view = viewOf(generationMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
};
const settled = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
};
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const word = (at: number): HTMLElement =>
  document.querySelector<HTMLElement>(`.jp-AttentionText-token[data-at="${at}"]`)!;
const slider = (): HTMLInputElement => document.querySelector<HTMLInputElement>("input[type=range]")!;

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(800);
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

it("goes through the steps by a slider and by clicking new tokens; what was not written yet is faded", async () => {
  const payload = syntheticGeneration(8, 14);
  show(payload);
  expect(text(".jp-AttentionTimeline-step")).toContain("step 1 of 14");
  expect(word(8).classList.contains("jp-mod-hidden")).toBe(true);
  slider().value = "3";
  slider().dispatchEvent(new Event("input"));
  await settled();
  expect(text(".jp-AttentionTimeline-step")).toContain("step 4 of 14");
  expect(text(".jp-AttentionLive")).toMatch(/^step 4 of 14: ".*", chance [\d.]+ %, entropy [\d.]+ nats$/);
  expect(word(10).classList.contains("jp-mod-hidden")).toBe(false);
  expect(word(11).classList.contains("jp-mod-hidden")).toBe(true);
  word(12).click();
  await settled();
  expect(slider().value).toBe("4");
  expect(text(".jp-AttentionTimeline-step")).toContain(
    `${Number((100 * payload.texts[0].chances[4]).toPrecision(3))} %`,
  );
});

it("reads the attention of a step by keys, and goes to the step by Enter", async () => {
  show(syntheticGeneration(8, 14));
  const matrix = document.querySelector<HTMLElement>(".jp-AttentionPair-matrix")!;
  const press = (key: string): void =>
    void matrix.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  press("ArrowDown");
  press("PageDown");
  expect(text(".jp-AttentionLive")).toMatch(/^step ".*" 13 → "<s>" 0: [\d.]+$/);
  press("Enter");
  await settled();
  expect(slider().value).toBe("13");
  press("PageUp");
  press("End");
  expect(text(".jp-AttentionLive")).toContain("not written yet");
});

it("shades by surprise where it is asked for, or where there is no attention", async () => {
  show(syntheticGeneration(8, 14, false));
  expect(document.querySelectorAll("[role=tab]")).toHaveLength(0);
  expect(document.querySelectorAll(".jp-AttentionText-token.jp-mod-hidden")).toHaveLength(0);
  expect(document.querySelector<HTMLElement>(".jp-AttentionPair-panel")!.hidden).toBe(true);
  sendAction(view.node.classList.contains("jp-AttentionFigure") ? view.node : document.querySelector(".jp-AttentionFigure")!, "toggle-table"); // prettier-ignore
  await settled();
  expect(document.querySelectorAll("tbody tr")).toHaveLength(14);
});

it("has every head in a second tab", () => {
  show(syntheticGeneration(8, 14));
  [...document.querySelectorAll<HTMLElement>("[role=tab]")][1].click();
  expect(document.querySelectorAll("[role=gridcell]")).toHaveLength(32);
});
