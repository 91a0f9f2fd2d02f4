// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { modelDiagramMime } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { modelDiagramExamples } from "../gallery/modelDiagram.js";

let view: View;
let copied: string[];
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const items = (): HTMLElement[] =>
  [...document.querySelectorAll<HTMLElement>("[role=treeitem]")].filter(
    (each) => !each.parentElement?.closest("[hidden]"),
  );
const labels = (): string[] =>
  items().map((each) => each.querySelector(".jp-AttentionDiagram-label")?.textContent ?? "");
const at = (): string => document.activeElement?.getAttribute("aria-label") ?? "";
const press = (...keys: readonly string[]): void => {
  for (const key of keys) {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    (document.activeElement ?? document.body).dispatchEvent(event);
  }
};
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
  copied = [];
  vi.spyOn(navigator.clipboard, "writeText").mockImplementation((value) => {
    copied.push(value);
    return Promise.resolve();
  });
  view = viewOf(modelDiagramMime, modelDiagramExamples["diagram"](), { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("the model diagram", () => {
  it("shows what lies outside of blocks, all blocks, and the first of them unfolded", () => {
    expect(labels().slice(0, 6)).toEqual(["embed", "pos_embed", "blocks × 12", "blocks.0", "resid_pre", "attn"]);
    expect(labels().slice(-4)).toEqual(["blocks.10", "blocks.11", "ln_final", "logits"]);
    expect(document.querySelectorAll('[role=treeitem][tabindex="0"]')).toHaveLength(1);
  });

  it("copies the address of a place that is clicked, and says its shape", async () => {
    const block = items().find((each) => each.getAttribute("aria-label") === "blocks.3");
    block?.querySelector<HTMLElement>(".jp-AttentionDiagram-row")?.click();
    expect(copied).toEqual([]);
    const pattern = [...(block?.querySelectorAll<HTMLElement>("[role=treeitem]") ?? [])].find((each) =>
      each.getAttribute("aria-label")?.startsWith("pattern"),
    );
    pattern?.querySelector<HTMLElement>(".jp-AttentionDiagram-row")?.click();
    await turn();
    expect(copied).toEqual(["blocks.3.attn.pattern"]);
    expect(text(".jp-AttentionLive")).toBe("Copied: blocks.3.attn.pattern [batch, 8, query, query]");
    expect(text(".jp-AttentionReading")).toBe("blocks.3.attn.pattern[batch, 8, query, query]");
  });

  it("is walked, folded and unfolded by keys", async () => {
    items()[0]?.focus();
    press("End");
    expect(at()).toBe("logits [batch, query, 5000]");
    press("ArrowUp", "ArrowUp");
    expect(at()).toBe("blocks.11");
    press("ArrowRight", "ArrowRight");
    expect(at()).toBe("resid_pre [batch, query, 64]");
    press("Enter");
    await turn();
    expect(copied).toEqual(["blocks.11.resid_pre"]);
    press("ArrowLeft");
    expect(at()).toBe("blocks.11");
    press("ArrowLeft", "ArrowLeft");
    expect(at()).toBe("blocks × 12");
    press("ArrowLeft", "ArrowDown");
    expect(at()).toBe("ln_final [batch, query, 64]");
  });

  it("leaves places out of layers that lack them, and has a table of all", () => {
    const mlp = (block: string): string[] => {
      const found = items().find((each) => each.getAttribute("aria-label") === block);
      if (found?.getAttribute("aria-expanded") === "false")
        found.querySelector<HTMLElement>(".jp-AttentionDiagram-row")?.click();
      return [...(found?.querySelectorAll("[aria-label^=mlp] .jp-mod-place") ?? [])].map(
        (each) => each.ariaLabel ?? "",
      );
    };
    expect(mlp("blocks.0")).toHaveLength(2);
    expect(mlp("blocks.5")).toHaveLength(1);
    sendAction(view.node, "toggle-table");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(14);
    expect(document.querySelector("tbody")?.textContent).toContain("blocks.*.attn.q[batch, 8, query, 8]0 … 11");
  });

  it("says the address where the clipboard refuses it", async () => {
    vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("denied"));
    items()[0]?.querySelector<HTMLElement>(".jp-AttentionDiagram-row")?.click();
    await turn();
    expect(text(".jp-AttentionLive")).toBe("embed [batch, query, 64]");
  });
});
