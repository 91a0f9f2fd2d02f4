// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { figureOf, scatterLayout, inks } from "attention-lab/figure";
import { headGridMime, scatter, scatterMime } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { createSelections } from "../../extension/src/link/selections.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { headGridExamples } from "../gallery/headGrid.js";

const grid = { ...Object.values(headGridExamples)[0](), live: { run: "r", stack: "" } };
const heads = Array.from({ length: grid.layers * grid.heads }, (_, at) => ({
  ...{ layer: Math.floor(at / grid.heads), head: at % grid.heads },
}));
const payload = scatter(
  heads.map((head, at) => ({ x: at, y: (at * 7) % heads.length, head })),
  { title: "Heads", xLabel: "rank", yLabel: "score", live: { run: "r", stack: "" } },
);
const { places } = scatterLayout(payload, { width: 700, ink: inks.page, palette: "viridis", words: false });

let views: View[];
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const plot = (): HTMLElement => document.querySelector<HTMLElement>(".jp-AttentionScatter-plot")!;
const marked = (): string[] =>
  [...document.querySelectorAll<HTMLElement>("[role=gridcell].jp-mod-marked")].map(
    ({ dataset }) => `${dataset["layer"]}.${dataset["head"]}`,
  );
const key = (name: string, more: object = {}, type = "keydown"): void =>
  void plot().dispatchEvent(new KeyboardEvent(type, { key: name, bubbles: true, cancelable: true, ...more }));
const pointer = (type: string, at: readonly number[], more: object = {}): void =>
  void plot().dispatchEvent(
    new PointerEvent(type, { clientX: at[0], clientY: at[1], button: 0, bubbles: true, ...more }),
  );
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
  const selections = createSelections();
  const context = { words: sourceWords, selections };
  views = [viewOf(scatterMime, JSON.parse(JSON.stringify(payload)), context), viewOf(headGridMime, grid, context)];
  document.body.replaceChildren(...views.map(({ node }) => node));
  for (const view of views) view.draw();
});
afterEach(() => {
  for (const view of views) view.dispose();
  vi.restoreAllMocks();
});

describe("the scatter view", () => {
  it("is saved with its marks and its log axes", async () => {
    let saved: Blob | undefined;
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      saved = blob as Blob;
      return "blob:";
    });
    key("ArrowRight");
    key(" ");
    [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "log x")!.click();
    sendAction(views[0].node, "save-svg");
    const svg = await vi.waitFor(async () => (await saved?.text()) ?? Promise.reject(new Error("not saved yet")));
    const [, label] = /1 point is marked: ([\d.]+)/.exec(svg)!;
    const points = { xScale: "log", yScale: "linear", marked: [payload.points.labels.indexOf(label)] } as const;
    expect(svg).toBe(figureOf(scatterMime, payload, { points }));
  });

  it("marks the heads in a rectangle, in the grid of their run as well", async () => {
    const [from, to] = [places[0]!, places[2]!];
    const [left, right] = [from[0] - 1, to[0] + 1];
    pointer("pointerdown", [left, 1]);
    pointer("pointermove", [right, 800]);
    await frame();
    expect(document.querySelector<HTMLElement>(".jp-AttentionScatter-brush")?.hidden).toBe(false);
    pointer("pointerup", [right, 800]);
    await frame();
    expect(marked()).toEqual(["0.0", "0.1", "0.2"]);
    expect(document.querySelectorAll("circle.jp-mod-marked")).toHaveLength(3);
    expect(text(".jp-AttentionScatter .jp-AttentionReading")).toBe("3 points marked: 0.0, 0.1, 0.2");
    expect(text(".jp-AttentionLive")).toBe("3 points marked: 0.0, 0.1, 0.2");
    key("Escape");
    await frame();
    expect(marked()).toEqual([]);
  });

  it("draws the rectangle by keys, from where Shift was pressed", async () => {
    key("Home");
    for (let step = 0; step < 4; step++) key("ArrowRight", { shiftKey: true });
    key("Shift", {}, "keyup");
    await frame();
    const inside = heads.slice(0, 5).filter((_, at) => places[at]![1] >= Math.min(places[0]![1], places[4]![1]) && places[at]![1] <= Math.max(places[0]![1], places[4]![1])); // prettier-ignore
    expect(marked()).toEqual(inside.map(({ layer, head }) => `${layer}.${head}`));
    key(" ");
    await frame();
    expect(marked()).toEqual(inside.slice(0, -1).map(({ layer, head }) => `${layer}.${head}`));
  });

  it("reads points by pointer and keys, and chooses a head of the run", async () => {
    pointer("pointermove", places[3]!);
    await frame();
    expect(text(".jp-AttentionScatter .jp-AttentionReading")).toBe("0.3rank 3score 21");
    key("Home");
    key("Enter");
    await frame();
    expect(text(".jp-AttentionLive")).toBe("Chosen: 0.0: rank 0, score 0");
    expect(document.querySelector('[data-layer="0"][data-head="0"]')?.classList.contains("jp-mod-chosen")).toBe(true);
  });

  it("shows what is chosen and marked in the grid", async () => {
    const cell = document.querySelector<HTMLElement>('[data-layer="1"][data-head="1"]')!;
    cell.dispatchEvent(new KeyboardEvent("keydown", { key: "m", bubbles: true, cancelable: true }));
    document
      .querySelector<HTMLElement>('[data-layer="0"][data-head="2"]')!
      .dispatchEvent(new MouseEvent("click", { bubbles: true, ctrlKey: true }));
    await frame();
    expect(marked().sort()).toEqual(["0.2", "1.1"]);
    expect(document.querySelectorAll("circle.jp-mod-marked")).toHaveLength(2);
    cell.click();
    await frame();
    expect(document.querySelector<HTMLElement>(".jp-AttentionScatter-cursor.jp-mod-chosen")?.hidden).toBe(false);
  });

  it("has log axes, which leave 0 out, and a table with the marked points first", async () => {
    key("End");
    key(" ");
    sendAction(views[0].node, "toggle-scale");
    sendAction(views[0].node, "toggle-table");
    await frame();
    expect(document.querySelectorAll("circle")).toHaveLength(heads.length - 1);
    expect(text(".jp-AttentionFigure-note")).toBe("1 point has no place here");
    expect(document.querySelector("tbody tr")?.lastElementChild?.textContent).toBe("marked");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(heads.length);
  });
});
