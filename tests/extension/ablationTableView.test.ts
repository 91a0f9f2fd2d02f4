// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ablationTableMime } from "attention-lab/views";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { filteredRows } from "../../extension/src/views/ablationTable/rows.js";
import { sourceWords } from "../../extension/src/words.js";
import { syntheticAblation } from "../gallery/effects.js";

const payload = syntheticAblation();
let view: View;
const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)];
const names = (): string[] => all(".jp-AttentionAblation-head").map((head) => head.textContent ?? "");
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));
const choose = async (label: string, value: string): Promise<void> => {
  const select = all("select").find((each) => each.getAttribute("aria-label") === label) as HTMLSelectElement;
  select.value = value;
  select.dispatchEvent(new Event("change"));
  await frame();
};
const sortBy = async (heading: string): Promise<void> => {
  all(".jp-AttentionAblation-sort")
    .find(({ textContent }) => textContent === heading)
    ?.click();
  await frame();
};

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  view = viewOf(ablationTableMime, JSON.parse(JSON.stringify(payload)), { words: sourceWords });
  document.body.replaceChildren(view.node);
  view.draw();
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("the ablation table's view", () => {
  it("begins with the largest effects of the first mode, the largest shown in full", () => {
    expect(names()).toHaveLength(72);
    expect(names().slice(0, 2)).toEqual(["L2.H6", "L4.H7"]);
    expect(document.querySelector("del")?.textContent).toBe("L2.H6");
    expect(all(".jp-AttentionBar-fill.jp-mod-ablated")).toHaveLength(1);
    expect(all(".jp-AttentionBar-prompt")).toHaveLength(48);
  });

  it("sorts by its headings, to and fro, and says so", async () => {
    await sortBy("head");
    expect(names().slice(0, 2)).toEqual(["L0.H0", "L0.H1"]);
    await sortBy("head");
    expect(names()[0]).toBe("L5.H11");
    expect(document.querySelector('[aria-sort="descending"]')?.textContent).toBe("head");
    await sortBy("change");
    expect(names().at(-1)).toBe("L4.H7");
  });

  it("filters by layer, false discovery rate and mode", async () => {
    await choose("Layer", "2");
    expect(names().every((name) => name.startsWith("L2."))).toBe(true);
    await choose("False discovery rate", "0.05");
    expect(names()).toEqual(["L2.H6", "L2.H10"]);
    await choose("How heads are taken out", "1");
    await choose("Layer", "");
    expect(names().length).toBeGreaterThan(4);
    expect(document.querySelector(".jp-AttentionAblation-detailName")?.textContent).toContain("taken out: mean");
  });

  it("shows a head by its row, with the numbers of that row", async () => {
    all("tbody tr")[1]?.click();
    await frame();
    const detail = document.querySelector(".jp-AttentionAblation-detail")?.textContent ?? "";
    expect(detail).toContain("L4.H7 taken out: zero");
    const row =
      filteredRows(payload, { mode: 0, layer: undefined, mostQ: undefined, order: "size", descending: true })[1] ?? 0;
    expect(detail).toContain(`change ${String(Number(payload.columns.effect[row]!.toPrecision(3)))}`);
    expect(all('.jp-AttentionAblation-head[aria-pressed="true"]').map(({ textContent }) => textContent)).toEqual([
      "L4.H7",
    ]);
    all("tbody tr")[1]?.click();
    await frame();
    expect(document.querySelector(".jp-AttentionAblation-detail")).toBeNull();
  });
});

it("rows without a number come last in either direction", () => {
  const gaps = {
    ...payload,
    columns: { ...payload.columns, p: payload.columns.p.map((p, row) => (row === 0 ? null : p)) },
  };
  for (const descending of [true, false]) {
    const rows = filteredRows(gaps, { mode: 0, layer: undefined, mostQ: undefined, order: "p", descending });
    expect(rows.at(-1)).toBe(0);
  }
});
