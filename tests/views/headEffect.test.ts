import { describe, expect, it } from "vitest";
import { headEffectText, headGridText, isSameAblation, PayloadError, readHeadGrid } from "attention-lab/views";
import type { HeadEffect } from "attention-lab/views";
import { headGridExamples } from "../gallery/headGrid.js";

const grid = headGridExamples["small"]();
const effect: HeadEffect = {
  ...{ layer: 0, head: 1, mode: "mean", sample: 0, loss: [3.2, 3.4] },
  prediction: { after: "the", divergenceNats: 0.25, moved: [{ token: " a", logit: [1, 2], chance: [0.1, 0.2] }] },
  moved: new Array<number>(grid.layers * grid.heads).fill(0).with(-1, 0.5),
};
const withEffect = (change: object): unknown =>
  JSON.parse(JSON.stringify({ ...grid, live: { run: "abc", stack: "" }, effects: [{ ...effect, ...change }] }));

describe("effects of heads in a head grid", () => {
  it("are read back as they were written, and told in the summary", () => {
    const read = readHeadGrid(withEffect({}));
    expect(read.effects).toEqual([effect]);
    expect(read.live).toEqual({ run: "abc", stack: "" });
    const line =
      "without 0.1 (mean), sample 1: loss 3.2000 → 3.4000 nats next token KL 0.250 nats attention of a head moved by at most 50.0 %";
    expect(headEffectText(effect)).toBe(line);
    expect(headGridText(read)).toContain(line);
  });

  it.each([
    [{ layer: 99 }, /effects\[0\]\.layer: expected .*, got 99/],
    [{ sample: 7 }, /effects\[0\]\.sample/],
    [{ mode: "<script>" }, /effects\[0\]\.mode: expected "zero" or "mean"/],
    [{ loss: [1] }, /effects\[0\]\.loss: expected 2 entries, got 1/],
    [{ loss: [1, null] }, /effects\[0\]\.loss: expected finite numbers, got null/],
    [{ moved: [0] }, /effects\[0\]\.moved: expected \d+ entries, got 1/],
    [{ moved: new Array(1e5).fill(0) }, /effects\[0\]\.moved: expected \d+ entries, got 100000/],
    [{ outputChange: "much" }, /outputChange: expected finite numbers/],
    [
      { prediction: { after: "a".repeat(1e6), divergenceNats: 0, moved: [] } },
      /prediction\.after: expected at most 128/,
    ],
    [{ prediction: { after: "", divergenceNats: 0, moved: [{}] } }, /moved\[0\]\.token: expected text/],
  ])("refuses %j", (change, reason) => {
    expect(() => readHeadGrid(withEffect(change))).toThrow(PayloadError);
    expect(() => readHeadGrid(withEffect(change))).toThrow(reason);
  });

  it("refuses a name that is too long, and more effects than there is room for", () => {
    const long = { ...grid, live: { run: "a".repeat(65), stack: "" } };
    expect(() => readHeadGrid(long)).toThrow(/live\.run: expected at most 64 characters/);
    expect(() => readHeadGrid({ ...grid, effects: new Array(65).fill(effect) })).toThrow(/expected 0…64 entries/);
  });

  it("answer the same question where head, way and sample agree", () => {
    const other = { ...effect, loss: [0, 0] as const };
    expect(isSameAblation(effect, other)).toBe(true);
    for (const change of [{ layer: 1 }, { head: 0 }, { mode: "zero" as const }, { sample: 1 }]) {
      expect(isSameAblation(effect, { ...effect, ...change })).toBe(false);
    }
  });
});
