import { describe, expect, it } from "vitest";
import type { Range } from "../../kernel/tensor/index.js";
import {
  checkOptions,
  encodeNpy,
  halfBits,
  halfValue,
  knownNames,
  nearestName,
  Tensor,
  tensor,
} from "../../kernel/tensor/index.js";

describe("a tensor", () => {
  it("is made from nested arrays, and refuses ragged ones", () => {
    const t = tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
    expect([t.shape, t.dtype, [...t.data]]).toEqual([[2, 3], "float32", [1, 2, 3, 4, 5, 6]]);
    expect(tensor(7, "int64").data).toEqual(BigInt64Array.of(7n));
    expect(tensor([true, false], "bool").data).toEqual(Uint8Array.of(1, 0));
    expect(tensor([]).shape).toEqual([0]);
    expect(() => tensor([[1, 2], [3]])).toThrow("tensor: ragged rows at axis 1; expected length 2, got 1"); // prettier-ignore
    expect(() => tensor([[1], 2])).toThrow("ragged rows at axis 1; expected length 1, got a number");
  });

  it("holds exactly what its shape says", () => {
    expect(() => new Tensor("float32", [2, 3], new Float32Array(5))).toThrow(
      "shape [2,3] holds 6 elements, got data of 5",
    );
    expect(() => new Tensor("float32", [-1], new Float32Array(0))).toThrow("whole numbers of at least 0, got [-1]");
    expect(() => new Tensor("float31" as "float32", [1], new Float32Array(1))).toThrow('did you mean "float32"?');
  });

  it("cannot be changed in shape or dtype", () => {
    const t = tensor([1]);
    expect(Object.isFrozen(t) && Object.isFrozen(t.shape)).toBe(true);
  });

  it("is sliced by leading indices, without a copy", () => {
    const t = new Tensor(
      "int32",
      [2, 3, 4],
      Int32Array.from({ length: 24 }, (_, i) => i),
    );
    expect(t.slice(1).shape).toEqual([3, 4]);
    expect([...t.slice(1, 2).data]).toEqual([20, 21, 22, 23]);
    expect([...t.slice(-1, -1).data]).toEqual([20, 21, 22, 23]);
    expect(t.slice(1, 2, 3).shape).toEqual([]);
    expect(t.slice(0).data.buffer).toBe(t.data.buffer);
    expect(t.item(1, 0, -1)).toBe(15);
    expect(() => t.slice(2)).toThrow("tensor.slice: expected an axis in -2 … 1, got 2");
    expect(() => t.item(0, 0)).toThrow("expected 3 indices for shape [2,3,4], got 2");
    expect(() => t.slice(0, 0, 0, 0)).toThrow("at most 3 indices");
  });

  describe("as a view", () => {
    const t = new Tensor(
      "int32",
      [2, 3, 4],
      Int32Array.from({ length: 24 }, (_, i) => i),
    );

    it.each<[readonly (number | Range)[], readonly number[], readonly number[]]>([
      [[0, [1, 3], 0], [2], [4, 8]],
      [
        [[], -1, [1, -1]],
        [2, 2],
        [9, 10, 21, 22],
      ],
      [
        [1, [], [undefined, undefined, 2]],
        [3, 2],
        [12, 14, 16, 18, 20, 22],
      ],
      [[0, [undefined, undefined, -1], 3], [3], [11, 7, 3]],
      [[0, 0, [3, 0, -2]], [2], [3, 1]],
      [[0, 0, [-2]], [2], [2, 3]],
      [[0, 0, [2, 100]], [2], [2, 3]],
      [[0, 0, [3, 1]], [0], []],
      [[1, [5, 9]], [0, 4], []],
    ])("case %#: slice", (parts, shape, values) => {
      const part = t.slice(...parts);
      expect([part.shape, [...part.data]]).toEqual([shape, values]);
      expect([part.size, part.sizeBytes]).toEqual([values.length, values.length * 4]);
    });

    it("transposes and is cut again without copying", () => {
      const turned = t.transpose([2, 0, 1]);
      expect(turned.shape).toEqual([4, 2, 3]);
      expect(turned.item(3, 1, -1)).toBe(23);
      expect([...turned.slice(1, [], [undefined, undefined, -2]).data]).toEqual([9, 1, 21, 13]);
      expect(turned.transpose([1, 2, 0]).data.buffer).toBe(t.data.buffer);
      expect([...t.transpose().slice(0).data]).toEqual([0, 12, 4, 16, 8, 20]);
      expect(turned.data).toBe(turned.data);
      expect(Object.isFrozen(turned)).toBe(true);
    });

    it("reshapes, shares what lies row by row, and gives its rows", () => {
      expect(t.reshape([4, -1]).shape).toEqual([4, 6]);
      expect(t.at(1).reshape([12]).data.buffer).toBe(t.data.buffer);
      expect([...t.slice(0).transpose().reshape([-1]).data]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
      expect([...t.slice(0).rows()].map((row) => row.item(0))).toEqual([0, 4, 8]);
      expect([...encodeNpy(t.transpose())]).toEqual([...encodeNpy(tensor([[[0, 12], [4, 16], [8, 20]], [[1, 13], [5, 17], [9, 21]], [[2, 14], [6, 18], [10, 22]], [[3, 15], [7, 19], [11, 23]]], "int32"))]); // prettier-ignore
    });

    it.each<[() => unknown, string]>([
      [() => t.at(0, 3), "tensor.at: expected an axis in -3 … 2, got 3"],
      [() => t.slice([0, 1, 0]), "expected a range [start, end, step] of whole numbers with step ≠ 0, got [0, 1, 0]"],
      [() => t.slice([0.5]), "tensor.slice: expected a range"],
      [() => t.transpose([0, 0, 1]), "expected a permutation of the axes of [2,3,4], got [0,0,1]"],
      [() => t.reshape([5, -1]), "[2,3,4] and [5,-1] hold different numbers of elements"],
      [() => t.reshape([-1, -1]), "hold different numbers of elements"],
      [() => [...tensor(1).rows()], "tensor.rows: a single number has no rows"],
      [() => new Tensor("int32", [3], Int32Array.of(1, 2), { strides: [1], offset: 0 }), "shape [3] with strides [1] from 0 leaves its data of 2"], // prettier-ignore
    ])("refuses mistake %#", (make, message) => expect(make).toThrow(message));
  });

  it("shows its header and the ends of long axes", () => {
    const shown = (t: Tensor): string =>
      (t as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]()["text/plain"];
    expect(shown(tensor([[1, 0.5], [1e-9, 123456]]))).toBe("Tensor [2,2] float32\n[[1.0000, 0.5000],\n [1.000e-9, 1.235e+5]]"); // prettier-ignore
    expect(
      shown(
        new Tensor(
          "int32",
          [20],
          Int32Array.from({ length: 20 }, (_, i) => i),
        ),
      ),
    ).toBe("Tensor [20] int32\n[0, 1, 2, …, 17, 18, 19]");
    expect(shown(new Tensor("float32", [0], new Float32Array(0)))).toBe("Tensor [0] float32\n[]");
    expect(shown(new Tensor("uint8", [8, 8, 8, 8], new Uint8Array(4096))).split("\n").length).toBeLessThan(70);
  });
});

describe("float16", () => {
  it("gives back every one of its 65 536 bit patterns", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const x = halfValue(bits);
      if (Number.isNaN(x)) expect(Number.isNaN(halfValue(halfBits(x)))).toBe(true);
      else if (halfBits(x) !== bits) throw new Error(`${bits} became ${halfBits(x)}`);
    }
  });

  it("rounds to nearest, ties to even, and overflows to infinity", () => {
    expect(halfValue(halfBits(1 + 2 ** -11))).toBe(1);
    expect(halfValue(halfBits(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(halfValue(halfBits(2 ** -25))).toBe(0);
    expect(halfValue(halfBits(2 ** -25 * 1.01))).toBe(2 ** -24);
    expect(halfValue(halfBits(65519))).toBe(65504);
    expect(halfValue(halfBits(65520))).toBe(Infinity);
    expect(Object.is(halfValue(halfBits(-0)), -0)).toBe(true);
    // Just above and below a tie: rounded once, not to float32 first.
    expect(halfValue(halfBits(1 + 2 ** -11 + 2 ** -40))).toBe(1 + 2 ** -10);
    expect(halfValue(halfBits(1 + 3 * 2 ** -11 - 2 ** -40))).toBe(1 + 2 ** -10);
    expect(halfValue(halfBits(65520 - 2 ** -20))).toBe(65504);
    expect(halfValue(halfBits(-1e300))).toBe(-Infinity);
    expect(halfValue(halfBits(2 ** -25 + 2 ** -60))).toBe(2 ** -24);
  });
});

describe("a name that is not known", () => {
  it("brings the nearest one, when one is near", () => {
    expect(nearestName("causl", ["scale", "causal"])).toBe("causal");
    expect(nearestName("sacle", ["scale", "causal"])).toBe("scale");
    expect(nearestName("CAUSAL", ["causal"])).toBe("causal");
    expect(nearestName("xyz", ["scale", "causal"])).toBeUndefined();
    expect(nearestName("", ["scale"])).toBeUndefined();
  });

  it("is answered with what is known", () => {
    expect(() => checkOptions("softmax", { causl: 1 }, ["scale", "causal"])).toThrow(
      'softmax: unknown option "causl"; did you mean "causal"?; known: scale, causal',
    );
    expect(
      knownNames(
        "a",
        Array.from({ length: 30 }, (_, i) => `name${i}`),
      ),
    ).toContain("name23, … (30 in all)");
  });
});
