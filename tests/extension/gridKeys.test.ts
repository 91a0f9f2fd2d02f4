import { describe, expect, it } from "vitest";
import { gridMove } from "../../extension/src/a11y/gridKeys.js";

const press = (
  key: string,
  from: [number, number],
  modifiers: { ctrlKey?: boolean; altKey?: boolean; metaKey?: boolean } = {},
): unknown => {
  const event = { key, ctrlKey: false, altKey: false, metaKey: false, ...modifiers };
  const place = gridMove(event, { row: from[0], column: from[1] }, 6, 12);
  return place && [place.row, place.column];
};

describe("gridMove", () => {
  it.each<[string, [number, number], [number, number]]>([
    ["ArrowLeft", [2, 3], [2, 2]],
    ["ArrowLeft", [2, 0], [2, 0]],
    ["ArrowRight", [2, 11], [2, 11]],
    ["ArrowRight", [2, 3], [2, 4]],
    ["ArrowUp", [0, 3], [0, 3]],
    ["ArrowUp", [1, 3], [0, 3]],
    ["ArrowDown", [5, 3], [5, 3]],
    ["ArrowDown", [4, 3], [5, 3]],
    ["Home", [2, 5], [2, 0]],
    ["End", [2, 5], [2, 11]],
    ["PageUp", [4, 5], [0, 5]],
    ["PageDown", [1, 5], [5, 5]],
  ])("%s leads from %j to %j", (key, from, to) => expect(press(key, from)).toEqual(to));

  it("leads to the corners with Ctrl", () => {
    expect(press("Home", [3, 3], { ctrlKey: true })).toEqual([0, 0]);
    expect(press("End", [3, 3], { ctrlKey: true })).toEqual([5, 11]);
  });

  it.each(["a", "d", "Enter", "Escape", "Tab", " "])("leaves %j alone", (key) =>
    expect(press(key, [1, 1])).toBeUndefined(),
  );

  it("leaves browser and notebook combinations alone", () => {
    expect(press("ArrowLeft", [1, 1], { altKey: true })).toBeUndefined();
    expect(press("ArrowLeft", [1, 1], { metaKey: true })).toBeUndefined();
    expect(press("ArrowLeft", [1, 1], { ctrlKey: true })).toBeUndefined();
  });
});
