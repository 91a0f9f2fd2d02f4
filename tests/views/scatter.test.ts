import { describe, expect, it } from "vitest";
import { columnsCsv, columnsOf, readScatter, scatter, scatterMime, scatterText } from "attention-lab/views";

const heads = [
  { x: 0.1, y: 0.9, head: { layer: 3, head: 5 } },
  { x: NaN, y: 0.2, head: { layer: 0, head: 1 } },
];

describe("a scatter", () => {
  it("names heads by layer and head, with nulls where there is no number", () => {
    const payload = scatter(heads, { title: "t", xLabel: "a", yLabel: "b", live: { run: "r", stack: "" } });
    expect(payload.points).toEqual({ labels: ["3.5", "0.1"], x: [0.1, null], y: [0.9, 0.2] });
    expect(payload.heads).toEqual({ layer: [3, 0], head: [5, 1] });
    expect(readScatter(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
    expect(columnsCsv(columnsOf(scatterMime, payload))).toBe(
      "point,layer,head,a,b\r\n3.5,3,5,0.1,0.9\r\n0.1,0,1,,0.2\r\n",
    );
    expect(scatterText(payload)).toBe("t · 2 points · b over a\n  highest b: 3.5 (0.1, 0.9)");
  });

  it("stays below a megabyte at its largest", () => {
    const points = Array.from({ length: 16_384 }, (_, at) => ({
      ...{ x: -1.23456e-7, y: -1.23456e-7 },
      head: { layer: at >> 7, head: at & 127 },
    }));
    expect(JSON.stringify(scatter(points, { title: "t" })).length).toBeLessThan(1_000_000);
    expect(() => scatter([...points, points[0]], { title: "t" })).toThrow(/expected 1…16384 points, got 16385/);
  });

  it.each<[string, () => unknown, RegExp]>([
    ["nothing", () => scatter([], { title: "t" }), /expected 1…16384 points, got 0/],
    ["some heads only", () => scatter([...heads, { x: 1, y: 1 }], { title: "t" }), /heads alone or none, got 2 of 3/],
    ["a misspelt option", () => scatter(heads, { title: "t", xlabel: "a" } as never), /did you mean "xLabel"/],
  ])("is not made of %s", (_, make, reason) => expect(make).toThrow(reason));

  it("refuses heads that are not as many as points", () => {
    const payload = scatter(heads, { title: "t" });
    expect(() => readScatter({ ...payload, heads: { layer: [0], head: [0, 0] } })).toThrow(/heads\.layer: expected 2/);
    expect(() => readScatter({ ...payload, heads: { layer: [0, -1], head: [0, 0] } })).toThrow(/0…511, got -1/);
  });
});
