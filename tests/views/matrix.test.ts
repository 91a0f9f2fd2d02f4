import { describe, expect, it } from "vitest";
import { matrix, matrixText, readMatrix, type MatrixOptions } from "attention-lab/views";

const options = (rows: number, columns: number, more: object = {}): MatrixOptions => ({
  title: "t",
  measure: "share",
  kind: "diverging",
  rows: { name: "layer", labels: Array.from({ length: rows }, (_, at) => `L${at}`) },
  columns: { name: "head", labels: Array.from({ length: columns }, (_, at) => `H${at}`) },
  ...more,
});

describe("a matrix", () => {
  it("is stored row by row, with nulls where there is no number", () => {
    const payload = matrix([[1, NaN], Float32Array.of(-0.25, Infinity)], options(2, 2));
    expect(payload.values).toEqual([1, null, -0.25, null]);
    expect(readMatrix(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
  });

  it("stays below a megabyte at its largest", () => {
    const rows = Array.from({ length: 200 }, () => new Array<number>(400).fill(-1.23456e-7));
    expect(JSON.stringify(matrix(rows, options(200, 400))).length).toBeLessThan(1_100_000);
    expect(() => matrix([...rows, rows[0]], options(201, 400))).toThrow(/at most 80000 cells, got 201 × 400/);
  });

  it.each<[string, () => unknown, RegExp]>([
    ["too few rows", () => matrix([[1]], options(2, 1)), /expected 2 × 1 values, as many as labels, got 1 rows/],
    ["a short row", () => matrix([[1, 2], [1]], options(2, 2)), /got 1 values in row 1/],
    ["nothing", () => matrix([], options(0, 0)), /expected 0 × 0 values/],
    ["negative amounts", () => matrix([[-1]], options(1, 1, { kind: "sequential" })), /expected amounts ≥ 0, got -1/],
    [
      "a misspelt option",
      () => matrix([[1]], options(1, 1, { kinds: 1 })),
      /unknown option "kinds"; did you mean "kind"/,
    ],
  ])("is not made of %s", (_, make, reason) => expect(make).toThrow(reason));

  it("refuses amounts below 0 and values that are not as many as cells", () => {
    const payload = matrix([[1, 2]], options(1, 2));
    expect(() => readMatrix({ ...payload, values: [1] })).toThrow(/values: expected 2 entries, got 1/);
    expect(() => readMatrix({ ...payload, kind: "sequential", values: [1, -1] })).toThrow(
      /numbers ≥ 0 or null, got -1/,
    );
    const wide = { name: "token", labels: new Array<string>(40_000).fill("a") };
    expect(() => readMatrix({ ...payload, rows: wide, columns: wide, values: [] })).toThrow(
      /rows × columns: expected at most 262144, got 1600000000/,
    );
  });

  it("says its range and its largest numbers in text", () => {
    expect(
      matrixText(
        matrix(
          [
            [0.5, -0.75],
            [NaN, 0],
          ],
          options(2, 2),
        ),
      ),
    ).toBe(
      // prettier-ignore
      "t · share · 2 × 2 (layer × head)\n  -0.75 … 0.5; largest: L0 H1 -0.75 · L0 H0 0.5 · L1 H1 0",
    );
  });
});
