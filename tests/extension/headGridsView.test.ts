// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { headGridsMime } from "attention-lab/views";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { syntheticPair } from "../gallery/headGrids.js";

let view: View;
const tab = (name: string): HTMLElement => {
  const found = [...document.querySelectorAll<HTMLElement>("[role=tab]")].find((each) => each.textContent === name);
  if (!found) throw new Error(`no tab ${name}`);
  return found;
};
const subtitle = (): string => document.querySelector(".jp-AttentionHeadGrid-subtitle")?.textContent ?? "";
const press = (key: string): void =>
  void document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  view = viewOf(headGridsMime, JSON.parse(JSON.stringify(syntheticPair())), { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("several head grids", () => {
  it("show the first, with a tab for each", () => {
    expect([...document.querySelectorAll("[role=tab]")].map((each) => each.textContent)).toEqual([
      "encoder",
      "decoder",
      "cross",
    ]);
    expect(subtitle()).toBe("2 layers × 3 heads · 6 tokens");
    expect(document.querySelectorAll("[role=grid]")).toHaveLength(1);
  });

  it("change by click, each with its own queries and keys", () => {
    tab("cross").click();
    expect(subtitle()).toBe("3 layers × 2 heads · 4 queries × 6 keys");
    expect(tab("cross").getAttribute("aria-selected")).toBe("true");
    tab("decoder").click();
    expect(subtitle()).toBe("3 layers × 2 heads · 4 tokens · causal");
    expect(tab("cross").getAttribute("aria-selected")).toBe("false");
  });

  it("change by arrow keys, with one tab stop", () => {
    tab("encoder").focus();
    press("ArrowLeft");
    expect(document.activeElement).toBe(tab("cross"));
    press("ArrowRight");
    expect(document.activeElement).toBe(tab("encoder"));
    const stops = [...document.querySelectorAll<HTMLElement>("[role=tab]")].filter(({ tabIndex }) => tabIndex === 0);
    expect(stops).toEqual([tab("encoder")]);
  });

  it("leave nothing behind", () => {
    tab("cross").click();
    view.dispose();
    expect(document.querySelector(".jp-AttentionHeadGrid")).toBeNull();
  });
});
