import { describe, expect, it } from "vitest";
import { transformer } from "../../kernel/lib/index.js";
import { build, flopsOf, input, programOf, repeat } from "../../kernel/lib/graph/index.js";
import { tokenLogits } from "../../kernel/lib/training/lesson.js";

const x = (...shape: (number | string)[]) => input(`x ${shape.join()}`, "float32", shape);
const counted = (value: ReturnType<typeof x>, sizes = {}): number => flopsOf(programOf({ value }), sizes);

describe("arithmetic operations of a graph", () => {
  it("are two for each multiplication of a product, one for each other number, none for moving them", () => {
    expect(counted(build.matMul(x(3, 4, 5), x(5, 7)))).toBe(2 * 3 * 4 * 5 * 7);
    expect(counted(build.matMul(x("batch", 4, "key"), x("batch", "key", 6)), { batch: 2, key: 9 })).toBe(
      2 * 2 * 4 * 9 * 6,
    );
    expect(counted(build.add(x(3, 4), x(4)))).toBe(12);
    expect(counted(build.transpose(build.reshape(x(3, 4), [4, 3]), [1, 0]))).toBe(0);
    expect(counted(build.reduceSum(x(3, 4), [1]))).toBe(12);
    expect(counted(build.softmax(x(3, 4), 1))).toBe(60);
    // What two outputs share is computed once.
    const shared = build.exp(x(10));
    expect(flopsOf(programOf({ a: build.neg(shared), b: build.exp(x(10)) }), {})).toBe(20);
  });

  it("of a loop are those of its body times its turns, of what is read of it", () => {
    const { last } = repeat(
      10,
      { state: x(4, 4) },
      ({ state }) => ({ next: { state: build.matMul(state, x(4, 4)) }, collect: { unread: build.exp(state) } }),
      {},
    );
    expect(counted(last.state)).toBe(10 * 2 * 4 * 4 * 4);
  });

  it("of a transformer are those of its formula", async () => {
    const [layers, width, hidden, vocabulary, heads] = [2, 8, 16, 10, 2];
    const model = await transformer({
      ...{ layers, heads, width, vocabulary, length: 64, mlpWidth: hidden, norm: "none", positions: "none" },
      activation: "relu",
    });
    const { blueprint, weights } = model.parts();
    const products = (length: number): number => {
      const logits = tokenLogits(blueprint, Object.fromEntries(weights), input("ids", "int32", [1, length]));
      return flopsOf({ values: programOf({ logits }).values.filter(({ op }) => op === "MatMul") });
    };
    // q, k, v and output; scores and mixing; two layers of the MLP; the unembedding.
    const formula = (T: number): number =>
      layers * (4 * 2 * T * width ** 2 + 2 * 2 * T ** 2 * width + 2 * 2 * T * width * hidden) +
      2 * T * width * vocabulary;
    for (const length of [1, 7, 64]) expect(products(length)).toBe(formula(length));
  });
});
