// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { panelsMime } from "attention-lab/views";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { example } from "../gallery/examples.js";

let view: View;
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(800);
  view = viewOf(panelsMime, example("sinks").payload, { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("the view of a report", () => {
  it("says its sentences and shows the first picture, with a tab for each", () => {
    expect([...document.querySelectorAll("li")].map((each) => each.textContent)).toEqual([
      "Token 0 is “<s>” in 100 % of the prompts",
      "62 % of heads put more than 0.3 on token 0",
    ]);
    const tabs = [...document.querySelectorAll<HTMLElement>("[role=tab]")];
    expect(tabs.map((tab) => tab.textContent)).toEqual(["ε-curves", "layer × token"]);
    expect(document.querySelectorAll(".jp-AttentionCurves")).toHaveLength(1);
    tabs[1]?.click();
    expect(document.querySelectorAll(".jp-AttentionCurves")).toHaveLength(0);
    expect(document.querySelectorAll(".jp-AttentionMatrix image")).toHaveLength(1);
    expect(document.querySelector("[role=tabpanel]")?.getAttribute("aria-label")).toBe("layer × token");
  });
});
