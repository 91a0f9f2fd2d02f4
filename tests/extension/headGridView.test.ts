// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { headGrid, headGridMime, type HeadGridPayload } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { headGridExamples, syntheticHeadGrid, tokensOf } from "../gallery/headGrid.js";

let view: View | undefined;

const show = (payload: HeadGridPayload, width = 900): HTMLElement => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(width);
  view = viewOf(headGridMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords });
  document.body.append(view.node);
  view.draw();
  return view.node;
};
const find = <Found extends HTMLElement = HTMLElement>(selector: string): Found => {
  const found = document.querySelector<Found>(selector);
  if (!found) throw new Error(`nothing matches ${selector}`);
  return found;
};
const cell = (layer: number, head: number): HTMLButtonElement => find(`[data-layer="${layer}"][data-head="${head}"]`);
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));
const press = (target: HTMLElement, key: string): KeyboardEvent => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event;
};
const point = (target: HTMLElement, x: number, y: number): void => {
  vi.spyOn(target, "getBoundingClientRect").mockReturnValue(new DOMRect(0, 0, 0, 0));
  target.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
};

beforeEach(() => {
  document.body.replaceChildren();
  delete document.body.dataset["attentionPalette"];
});
afterEach(() => {
  view?.dispose();
  view = undefined;
  vi.restoreAllMocks();
});

describe("the head grid", () => {
  it("is an ARIA grid of real buttons with numbers in their names and one tab stop", () => {
    show(headGridExamples["encoder"]());
    const grid = find("[role=grid]");
    expect(grid.getAttribute("aria-rowcount")).toBe("6");
    expect(grid.querySelectorAll("[role=row]")).toHaveLength(6);
    const cells = [...grid.querySelectorAll<HTMLButtonElement>("button[role=gridcell]")];
    expect(cells).toHaveLength(72);
    expect(cells.filter((each) => each.tabIndex === 0)).toEqual([cell(0, 0)]);
    expect(cell(3, 5).getAttribute("aria-label")).toMatch(
      /^Layer 3, head 5: entropy \d\.\d\d nats, first token 0\.\d\d/,
    );
    expect(find(".jp-AttentionHeadGrid-subtitle").textContent).toBe("6 layers × 12 heads · 13 tokens");
  });

  it("marks every control so that no key drives the notebook", async () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    const node = show(headGridExamples["encoder"]());
    cell(0, 0).click();
    sendAction(node, "toggle-table");
    await frame();
    const controls = document.querySelectorAll<HTMLElement>("button, select, [tabindex]");
    expect(controls.length).toBeGreaterThan(75);
    for (const control of controls) expect(control.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
    for (const key of ["d", "b", "Enter", "ArrowDown", "Escape"]) press(cell(0, 0), key);
    expect(outside).not.toHaveBeenCalled();
    document.body.removeEventListener("keydown", outside);
  });

  it("lets Ctrl with a letter through to JupyterLab, and nothing else", async () => {
    show(headGridExamples["small"]());
    const seen: (readonly [string, boolean])[] = [];
    const lab = (event: KeyboardEvent): void => {
      seen.push([event.key, (event.target as HTMLElement).hasAttribute("data-lm-suppress-shortcuts")]);
    };
    document.addEventListener("keydown", lab, true);
    for (const key of ["s", "Home"]) {
      cell(0, 0).dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey: true, bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    press(cell(0, 0), "s");
    document.removeEventListener("keydown", lab, true);
    expect(seen).toEqual([
      ["s", false],
      ["Home", true],
      ["s", true],
    ]);
    expect(cell(0, 0).hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  });

  it("moves with arrows, opens with a click, steps through heads while open, and Esc goes back", async () => {
    show(headGridExamples["encoder"]());
    cell(0, 0).focus();
    expect(press(cell(0, 0), "ArrowRight").defaultPrevented).toBe(true);
    press(cell(0, 1), "ArrowDown");
    expect(document.activeElement).toBe(cell(1, 1));
    expect(cell(1, 1).tabIndex).toBe(0);
    expect(cell(0, 0).tabIndex).toBe(-1);
    cell(1, 1).click();
    await frame();
    expect(find(".jp-AttentionFocus").hidden).toBe(false);
    expect(find(".jp-AttentionFocus-name").textContent).toBe("L1.H1");
    expect(cell(1, 1).getAttribute("aria-selected")).toBe("true");
    press(cell(1, 1), "ArrowRight");
    await frame();
    expect(find(".jp-AttentionFocus-name").textContent).toBe("L1.H2");
    expect(cell(1, 1).getAttribute("aria-selected")).toBe("false");
    press(cell(1, 2), "Escape");
    await frame();
    expect(find(".jp-AttentionFocus").hidden).toBe(true);
    expect(document.activeElement).toBe(cell(1, 2));
  });

  it("reads the weight under the pointer: head, tokens, number, rank", async () => {
    const pattern = Float32Array.of(0.125, 0.875, 0.3, 0.7);
    show(
      headGrid({
        title: "Two tokens",
        layers: 1,
        heads: 2,
        causal: false,
        samples: [
          {
            queryTokens: ["mat", "x"],
            keyTokens: ["the", "x"],
            pattern: (_, head) => (head ? pattern : new Float32Array(4)),
          },
        ],
        provenance: {},
      }),
    );
    const stage = find(".jp-AttentionGrid-stage");
    const cellWidth = parseFloat(find(".jp-AttentionGrid").style.getPropertyValue("--jp-attention-cell-width"));
    const gap = parseFloat(find(".jp-AttentionGrid").style.getPropertyValue("--jp-attention-gap-x"));
    point(stage, cellWidth + gap + 0.25 * cellWidth, 0.25 * cellWidth);
    await frame();
    expect(find(".jp-AttentionReading").textContent).toBe(
      'L0.H1query "mat" ← key "the"0.1250rank 2 of 2 in its row · positions 0 ← 0',
    );
    expect(find(".jp-AttentionGrid .jp-AttentionCross").hidden).toBe(false);
  });

  it("says when a number is not exact: 8 bits, pooled, masked", async () => {
    const pooled = syntheticHeadGrid({
      layers: 2,
      heads: 2,
      causal: true,
      samples: [tokensOf(64)],
      budgetBytes: 5_000,
    });
    expect(pooled.samples[0].patterns.block).toBeGreaterThan(1);
    show(pooled);
    point(find(".jp-AttentionGrid-stage"), 1, 100);
    await frame();
    expect(find(".jp-AttentionReading").textContent).toMatch(/≤ 0.*largest of \d+ × \d+ weights/);
    point(find(".jp-AttentionGrid-stage"), 120, 1);
    await frame();
    expect(find(".jp-AttentionReading").textContent).toContain("masked: the key comes after the query");
  });

  it("pins a square with the keyboard and says so", async () => {
    show(headGridExamples["encoder"]());
    cell(0, 1).click();
    await frame();
    const matrix = find(".jp-AttentionFocus-matrix");
    press(matrix, "ArrowRight");
    press(matrix, "ArrowRight");
    press(matrix, "ArrowDown");
    press(matrix, "Enter");
    await frame();
    expect(find("[aria-live=polite]").textContent).toMatch(/^Pinned: L0\.H1 {2}query "the" ← key "the" {2}0\.\d+/);
    expect(find(".jp-AttentionCross.jp-mod-pinned").hidden).toBe(false);
    const marked = [...document.querySelectorAll<HTMLElement>(".jp-AttentionTokens-token.jp-mod-active")];
    expect(marked.map((label) => label.textContent)).toEqual(["the", "the"]);
  });

  it("changes sample, palette and scale, by hand and by command", async () => {
    const node = show(headGridExamples["encoder"]());
    const [sample, palette, scale] = [...document.querySelectorAll("select")];
    expect([...sample.options].map((option) => option.label || option.textContent)[1]).toBe(
      "2. attention is all you need",
    );
    sample.value = "1";
    sample.dispatchEvent(new Event("change"));
    await frame();
    expect(find(".jp-AttentionHeadGrid-subtitle").textContent).toContain("7 tokens");
    sendAction(node, "next-palette");
    sendAction(node, "toggle-scale");
    await frame();
    expect(palette.value).toBe("cividis");
    expect(scale.value).toBe("linear");
    expect(find(".jp-AttentionLegend").getAttribute("aria-label")).toMatch(
      /^Attention weight from 0 to 1, linear scale; the largest is 0\.99/,
    );
  });

  it("starts with the published preferences", () => {
    document.body.dataset["attentionPalette"] = "greys";
    show(headGridExamples["small"]());
    expect([...document.querySelectorAll("select")][1].value).toBe("greys");
  });

  it("shows its numbers as tables", async () => {
    const node = show(headGridExamples["encoder"]());
    sendAction(node, "toggle-table");
    await frame();
    expect(find("table caption").textContent).toContain("Numbers per head");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(72);
    cell(1, 2).click();
    await frame();
    expect(find("table caption").textContent).toBe("Strongest keys of each query, head L1.H2");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(13);
    expect(find("tbody tr:nth-child(3) td").textContent).toMatch(/^the 0\.9\d\d$/);
  });

  it("never parses a token as markup", async () => {
    const evil = '<img src=x onerror="alert(1)">';
    const node = show(
      headGrid({
        title: evil,
        layers: 1,
        heads: 1,
        causal: false,
        samples: [
          {
            text: evil,
            queryTokens: [evil, "\n \t"],
            keyTokens: [evil, ""],
            pattern: () => Float32Array.of(1, 0, 0, 1),
          },
          { text: evil, queryTokens: [evil], keyTokens: [evil], pattern: () => Float32Array.of(1) },
        ],
        provenance: {},
      }),
    );
    cell(0, 0).click();
    sendAction(node, "toggle-table");
    point(find(".jp-AttentionGrid-stage"), 1, 1);
    await frame();
    expect(document.querySelectorAll("img, script")).toHaveLength(0);
    expect(find(".jp-AttentionTokens.jp-mod-queries").textContent).toContain("⏎·⇥");
    expect(find(".jp-AttentionTokens.jp-mod-keys").textContent).toContain("∅");
  });

  it("does not draw without a size and draws when it gets one", async () => {
    const node = show(headGridExamples["small"](), 0);
    expect(find<HTMLCanvasElement>(".jp-AttentionGrid-canvas").width).not.toBeGreaterThan(300);
    expect(find(".jp-AttentionGrid").style.getPropertyValue("--jp-attention-cell-width")).toBe("");
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
    view!.draw();
    await frame();
    expect(
      node.querySelector<HTMLElement>(".jp-AttentionGrid")!.style.getPropertyValue("--jp-attention-cell-width"),
    ).toBe("168px");
  });

  it("leaves nothing behind when it is disposed", async () => {
    show(headGridExamples["encoder"]());
    const canvas = find<HTMLCanvasElement>(".jp-AttentionGrid-canvas");
    point(find(".jp-AttentionGrid-stage"), 5, 5);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(document.querySelector(".jp-AttentionTooltip")).not.toBeNull();
    view!.dispose();
    view = undefined;
    expect(document.body.childElementCount).toBe(0);
    expect(canvas.width).toBe(0);
  });
});
