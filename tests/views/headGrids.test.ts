import { describe, expect, it } from "vitest";
import { headGrids, headGridsText, PayloadError, readHeadGrids } from "attention-lab/views";
import { syntheticPair } from "../gallery/headGrids.js";

const pair = syntheticPair();
const reasonOf = (change: object): string => {
  try {
    readHeadGrids({ ...pair, ...change });
    return "no error";
  } catch (error) {
    return error instanceof PayloadError ? error.message : "not a PayloadError";
  }
};

describe("head grids", () => {
  it("come back from JSON as they were", () => {
    expect(readHeadGrids(JSON.parse(JSON.stringify(pair)))).toEqual(pair);
  });

  it("have their own sizes and axes each", () => {
    const [encoder, , cross] = pair.stacks.map(({ grid }) => grid);
    expect([encoder?.layers, encoder?.heads, cross?.layers, cross?.heads]).toEqual([2, 3, 3, 2]);
    expect(cross?.samples[0]?.queryTokens).toEqual(["<s>", "The", "house", "is"]);
    expect(cross?.samples[0]?.keyTokens).toHaveLength(6);
  });

  it("say in text what each of them holds", () => {
    const text = headGridsText(pair);
    for (const name of ["encoder", "decoder", "cross"]) expect(text).toContain(`Synthetic · ${name}`);
  });

  it.each<[string, object, string]>([
    ["another view", { view: "head-grid" }, 'view: expected "head-grids", got "head-grid"'],
    [
      "a later version",
      { version: "2.0" },
      'version: expected 1.x; run the cell again or update the extension, got "2.0"',
    ],
    ["no stacks", { stacks: [] }, "stacks: expected 1…16 entries"],
    [
      "a stack without a name",
      { stacks: [{ ...pair.stacks[0], name: "" }] },
      "stacks[0].name: expected 1…64 characters",
    ],
    ["one name twice", { stacks: [pair.stacks[0], pair.stacks[0]] }, "stacks: expected different names"],
    ["a broken grid", { stacks: [{ name: "x", grid: {} }] }, "head grid: version: expected text"],
    ["a title that is too long", { title: "x".repeat(513) }, "title: expected at most 512 characters"],
  ])("refuse %s", (_, change, reason) => expect(reasonOf(change)).toContain(reason));

  it("are not made of nothing", () => expect(() => headGrids("none", [])).toThrow(PayloadError));
});
