import { describe, expect, it } from "vitest";
import { einsum, random, Tensor, tensor } from "../../kernel/tensor/index.js";

const draw = (name: string, shape: readonly number[]): Tensor =>
  random(1).fork(name).normal(shape, { dtype: "float64" });

/** Fills an output by calling `f` at every index. */
function table(shape: readonly number[], f: (...index: number[]) => number): number[] {
  const visit = (index: number[]): number[] =>
    index.length === shape.length
      ? [f(...index)]
      : Array.from({ length: shape[index.length] }, (_, i) => visit([...index, i])).flat();
  return visit([]);
}

function expectEqual(got: Tensor, shape: readonly number[], values: readonly number[]): void {
  expect(got.shape).toEqual(shape);
  got.numbers().forEach((x, i) => expect(Math.abs(x - values[i])).toBeLessThan(1e-12));
}

const sum = (length: number, f: (i: number) => number): number =>
  Array.from({ length }, (_, i) => f(i)).reduce((a, b) => a + b, 0);

describe("einsum", () => {
  const a = draw("a", [2, 3, 5]);
  const b = draw("b", [2, 63, 5]);
  const square = draw("s", [3, 3]);

  it("is attention's scores: q · k over the width", () => {
    const expected = table([2, 3, 63], (h, q, k) => sum(5, (d) => a.item(h, q, d) * b.item(h, k, d)));
    expectEqual(einsum("hqd,hkd->hqk", a, b), [2, 3, 63], expected);
    expectEqual(einsum(" hqd, hkd -> hkq ", a, b), [2, 63, 3], table([2, 63, 3], (h, k, q) => expected[(h * 3 + q) * 63 + k])); // prettier-ignore
  });

  it("transposes, sums, takes diagonals and traces", () => {
    expectEqual(
      einsum("abc->cab", a),
      [5, 2, 3],
      table([5, 2, 3], (c, i, j) => a.item(i, j, c)),
    );
    expectEqual(
      einsum("abc->b", a),
      [3],
      table([3], (j) => sum(2, (i) => sum(5, (c) => a.item(i, j, c)))),
    );
    expectEqual(
      einsum("ii->i", square),
      [3],
      table([3], (i) => square.item(i, i)),
    );
    expectEqual(einsum("ii", square), [], [sum(3, (i) => square.item(i, i))]);
    expectEqual(einsum("ij,jj->i", square, square), [3], table([3], (i) => sum(3, (j) => square.item(i, j) * square.item(j, j)))); // prettier-ignore
  });

  it("takes outer products, three operands and scalars", () => {
    const x = draw("x", [2]);
    const y = draw("y", [3]);
    expectEqual(
      einsum("i,j->ij", x, y),
      [2, 3],
      table([2, 3], (i, j) => x.item(i) * y.item(j)),
    );
    const both = table([2], (i) => sum(3, (j) => sum(5, (c) => a.item(i, j, c) * y.item(j) * x.item(i))));
    expectEqual(einsum("ijc,j,i->i", a, y, x), [2], both);
    expectEqual(einsum(",i->i", tensor(2, "float64"), x), [2], [2 * x.item(0), 2 * x.item(1)]);
  });

  it("orders the axes of an implicit output by letter", () => {
    expectEqual(
      einsum("ba", square),
      [3, 3],
      table([3, 3], (i, j) => square.item(j, i)),
    );
  });

  it("gives 0 for an empty sum and keeps the dtype", () => {
    const empty = new Tensor("float32", [2, 0], new Float32Array());
    expect(einsum("ij->i", empty)).toEqual(tensor([0, 0]));
    expect(einsum("ij->ji", empty).shape).toEqual([0, 2]);
  });

  it("refuses what does not fit, with letters and shapes", () => {
    expect(() => einsum("hqd,hkd->hqk", a, square)).toThrow('einsum: "hkd" needs 3 axes, got [3,3]');
    expect(() => einsum("ab,cb->ac", draw("p", [2, 3]), draw("q", [2, 4]))).toThrow(
      'einsum: axis "b" is 3 and 4 in "ab,cb->ac" on [2,3] and [2,4]',
    );
    expect(() => einsum("ab->ac", square)).toThrow('output axis "c" must occur in an operand');
    expect(() => einsum("ab->aa", square)).toThrow('output axis "a" must occur in an operand and once in the output');
    expect(() => einsum("ab...", square)).toThrow('einsum: expected letters such as "bqd,bkd->bqk", got "ab..."');
    expect(() => einsum("ab,bc", square)).toThrow("takes 2 operands, got 1");
    expect(() => einsum("a,a", tensor([1]), tensor([1], "float64") as Tensor)).toThrow("differ in dtype");
    expect(() => einsum("a->", tensor([1], "int32"))).toThrow("einsum: expected float operands, got int32");
  });
});
