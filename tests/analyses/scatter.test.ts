import { describe, expect, it } from "vitest";
import { HeadScores, scatter } from "attention-lab";
import { columnsOf, scatterMime } from "attention-lab/views";

const scores = new HeadScores({
  caption: "Roles",
  measured: {
    previous: [[[0.1, 0.2], [0.3, 0.4]], [[0.3, 0.2], [0.3, NaN]]], // prettier-ignore
    induction: [[[1, 2], [3, 4]], [[1, 2], [3, 4]]], // prettier-ignore
  },
});
const columns = async (shown: ReturnType<typeof scatter>): Promise<Record<string, readonly unknown[]>> => {
  const bundle = await shown.bundle();
  return Object.fromEntries(columnsOf(scatterMime, bundle[scatterMime]).map(({ name, values }) => [name, values]));
};

describe("scatter", () => {
  it("takes measures of head scores: means over prompts, by layer and head", async () => {
    expect(await columns(scatter(scores, scores, { x: "previous", y: "induction" }))).toEqual({
      point: ["0.0", "0.1", "1.0", "1.1"],
      layer: [0, 0, 1, 1],
      head: [0, 1, 0, 1],
      previous: [0.2, 0.2, 0.3, 0.4],
      induction: [1, 2, 3, 4],
    });
  });

  it("takes numbers by head, or labelled numbers", async () => {
    const y = { name: "importance", values: [[4, 3], [2, 1]] }; // prettier-ignore
    expect((await columns(scatter(scores, y)))["importance"]).toEqual([4, 3, 2, 1]);
    const loss = { name: "loss", values: [3, 2] };
    expect(await columns(scatter({ name: "size", values: [1, 2] }, loss, { labels: ["small", "large"] }))).toEqual({
      point: ["small", "large"],
      size: [1, 2],
      loss: [3, 2],
    });
  });

  it.each<[string, () => unknown, RegExp]>([
    ["an unknown measure", () => scatter(scores, scores, { x: "prevous" }), /did you mean "previous"/],
    ["a measure of numbers", () => scatter({ name: "a", values: [[1]] }, scores, { x: "b" }), /x has only "a"/],
    ["other shapes", () => scatter(scores, { name: "a", values: [[1, 2]] }), /one shape, got \[2\]\[2\] and \[1\]\[2\]/],
    ["labels of heads", () => scatter(scores, scores, { labels: ["a"] }), /expected no labels/],
    ["other numbers of labels", () => scatter({ name: "a", values: [1] }, { name: "b", values: [1] }, { labels: [] }), /and 0 labels/],
    ["a misspelt option", () => scatter(scores, scores, { xscale: "log" } as never), /did you mean "xScale"/],
  ])("refuses %s", (_, make, reason) => expect(make).toThrow(reason)); // prettier-ignore
});
