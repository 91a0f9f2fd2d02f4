// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { tokenStripMime, type TokenStripPayload } from "attention-lab/views";
import { sendAction } from "../../extension/src/actions.js";
import { createStore } from "../../extension/src/dom/store.js";
import type { LiveAnswer, LiveRun, LiveStatus } from "../../extension/src/link/liveRun.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View, ViewContext } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { manyTokens, syntheticLosses, syntheticStrip } from "../gallery/tokenStrip.js";

const payload = syntheticStrip(20);
const live = { run: "r1", stack: "", layers: 4, heads: 6, layer: 3, head: 0, sample: 0 };
let view: View;

const show = (value: TokenStripPayload, context: Partial<ViewContext> = {}): void => {
  view = viewOf(tokenStripMime, JSON.parse(JSON.stringify(value)), { words: sourceWords, ...context });
  document.body.replaceChildren(view.node);
  view.draw();
};
const settled = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
};
const word = (at: number): HTMLElement => document.querySelector<HTMLElement>(`[data-at="${at}"]`)!;
const point = async (at: number): Promise<void> => {
  word(at).dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
  await settled();
};
const press = (key: string): void =>
  void document
    .querySelector(".jp-AttentionText-paper")!
    .dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const reading = (): string => text(".jp-AttentionReading");

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(700);
});
afterEach(() => {
  view.dispose();
  vi.restoreAllMocks();
});

describe("the token strip", () => {
  it("shades a text by numbers and reads the one under the pointer; what has none is named by a dash", async () => {
    const losses = syntheticLosses();
    show(losses);
    expect(document.querySelectorAll("bdi[data-at]")).toHaveLength(losses.tokens.length);
    await point(2);
    expect(reading()).toContain(String(Number(losses.values[2]!.toPrecision(4))));
    await point(0);
    expect(reading()).toMatch(/“?<s>.*–/);
    expect(word(7).textContent).toBe("⏎");
    expect(text(".jp-AttentionStrip-body > .jp-AttentionFigure-note")).toBe("The first token is not predicted.");
  });

  it("shows where a token looks, masked words apart, and the weight between two words", async () => {
    show(payload);
    await point(9);
    expect(word(10).classList.contains("jp-mod-hidden")).toBe(true);
    expect(word(9).classList.contains("jp-mod-hidden")).toBe(false);
    expect(reading()).toMatch(/→.*drawn 1(\.\d+)? of 1/);
    word(9).click();
    await point(12);
    expect(reading()).toContain("masked");
    await point(0);
    expect(reading()).toMatch(/ 9→"<s>" 00\.\d+/);
    word(9).click();
    await settled();
    expect(text(".jp-AttentionLive")).toBe("Unpinned");
  });

  it("turns round: who looks at a token", async () => {
    show(payload);
    const direction = [...document.querySelectorAll("select")].find(({ title }) => title === "Direction")!;
    direction.value = "key";
    direction.dispatchEvent(new Event("change"));
    await point(5);
    expect(reading()).toContain("←");
    expect(word(4).classList.contains("jp-mod-hidden")).toBe(true);
    expect(word(6).classList.contains("jp-mod-hidden")).toBe(false);
  });

  it("is read by keys", async () => {
    show(payload);
    press("ArrowRight");
    press("End");
    press("ArrowLeft");
    await settled();
    expect(text(".jp-AttentionLive")).toContain(" 18");
    press("Enter");
    expect(text(".jp-AttentionLive")).toMatch(/^Pinned: /);
  });

  it("draws lines for the pinned token alone", async () => {
    show(payload);
    word(9).click();
    [...document.querySelectorAll("button")].find((each) => each.textContent === "Lines")!.click();
    await settled();
    expect(document.querySelectorAll(".jp-AttentionLines path")).toHaveLength(10);
    expect(text(".jp-AttentionLines .jp-AttentionFigure-note")).toMatch(
      /^Lines to 10 of 20 tokens hold 1\.00 of 1\.00/,
    );
  });

  it("has a table, and pages where a text is longer than a page should be", () => {
    show(manyTokens(5_000));
    expect(document.querySelectorAll("bdi[data-at]")).toHaveLength(4_096);
    [...document.querySelectorAll("button")].find((each) => each.textContent === "Later")!.click();
    expect(word(4_999)).toBeTruthy();
    sendAction(view.node, "toggle-table");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(4_000);
  });
});

describe("the token strip with a kernel", () => {
  const asked: Record<string, unknown>[] = [];
  const status = createStore<{ readonly now: LiveStatus }>({ now: { state: "live", modes: [] } });
  const weights = Float32Array.from({ length: 20 }, (_, key) => (key === 3 ? 0.123456 : 0));
  const answers: Record<string, LiveAnswer> = {
    line: { data: {}, buffers: [new DataView(weights.buffer)] },
    strip: { data: { payload: { ...payload, attention: { ...payload.attention, caption: "layer 1, head 2" }, live: { ...live, layer: 1, head: 2 } } }, buffers: [] }, // prettier-ignore
  };
  const run: LiveRun = {
    status,
    ask: (question) => {
      asked.push({ ...question });
      return Promise.resolve(answers[String(question["ask"])]);
    },
  };

  it("reads weights as the run holds them, and asks for nothing while it is only drawn", async () => {
    asked.length = 0;
    show({ ...payload, live }, { live: () => run });
    await settled();
    expect(asked).toEqual([]);
    await point(9);
    expect(asked).toEqual([{ ask: "line", stack: "", sample: 0, layer: 3, head: 0, along: "query", at: 9 }]);
    expect(reading()).toContain("0.1235");
  });

  it("shows the text by another head, and saves it", async () => {
    const saved: unknown[] = [];
    show({ ...payload, live }, { live: () => run, save: (changed) => saved.push(changed) });
    const head = [...document.querySelectorAll("select")].find(({ title }) => title === "Head")!;
    head.value = "mean";
    head.dispatchEvent(new Event("change"));
    await settled();
    expect(asked.at(-1)).toMatchObject({ ask: "strip", layer: 3, head: null });
    expect(text(".jp-AttentionStrip-caption")).toContain("layer 1, head 2");
    expect(head.value).toBe("2");
    expect(saved).toHaveLength(1);
  });
});
