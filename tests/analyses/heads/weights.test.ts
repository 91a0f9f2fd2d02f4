import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../kernel/lib/index.js";
import { compositionScores, einsum, headSpectra, load, type Tensor } from "../../../kernel/lib/index.js";
import { headWeights } from "../../../kernel/lib/analyses/parts/headWeights.js";
import { svdOfProduct } from "../../../kernel/lib/analyses/parts/svd.js";
import { random, Tensor as TensorOf } from "../../../kernel/lib/tensor/index.js";
import { maxDiff, readOracle, readTensors } from "../../models/oracle.js";
import { shown } from "./planted.js";

const wide = (x: Tensor): TensorOf<"float64"> => new TensorOf("float64", x.shape, x.numbers());
const norm = (x: Tensor): number => Math.hypot(...x.numbers());

describe.each(["gpt2", "llama_rope3", "falcon_new", "granite"])("weights of heads of %s", (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
  });
  afterAll(() => model.dispose());

  it("are those that the run uses: q, k and v of what is read, and the sum of heads is what attention writes", async () => {
    const addresses = ["ln1.normalized", "attn.q", "attn.k", "attn.v", "attn.z", "attn_out"];
    const run = await model.run({ inputIds: [[5, 6, 7]] }, { capture: addresses.map((part) => `blocks.1.${part}`) });
    const zero = await model.run({ inputIds: [[9, 4, 3]] }, { capture: addresses.map((part) => `blocks.1.${part}`) });
    const { q, k, v, o } = await headWeights(model, 1, "raw", {});
    // Differences between two runs are free of biases.
    const change = (part: string): TensorOf<"float64"> => {
      const [a, b] = [run, zero].map((each) => wide(each.at(`blocks.1.${part}`)));
      return new TensorOf("float64", a.shape, a.data.map((x, i) => x - b.data[i])); // prettier-ignore
    };
    const read = change("ln1.normalized");
    for (const [part, weight] of [
      ["q", q],
      ["k", k],
      ["v", v],
    ] as const) {
      const expected = change(`attn.${part}`);
      const found = einsum("btm,hmd->bhtd", read, wide(weight));
      const groups = expected.shape[1];
      for (let h = 0; h < model.heads; h++) {
        const own = expected.slice(0, Math.floor((h * groups) / model.heads)).numbers();
        expect(maxDiff(found.slice(0, h).numbers(), own), `${part} ${h}`).toBeLessThan(2e-5);
      }
    }
    const written = einsum("bhtd,hdm->btm", change("attn.z"), wide(o));
    expect(maxDiff(written.numbers(), change("attn_out").numbers())).toBeLessThan(2e-5);
  });

  it("composition from D × D matrices is that of the whole products", async () => {
    const scores = await compositionScores(model);
    const [one, two] = [await headWeights(model, 0, "raw", {}), await headWeights(model, 2, "raw", {})];
    const product = (a: Tensor, b: Tensor): TensorOf<"float64"> => einsum("mk,kn->mn", wide(a), wide(b));
    for (const [from, to] of [
      [0, 1],
      [3, 2],
    ] as const) {
      const written = product(one.v.slice(from), one.o.slice(from));
      const qk = product(two.q.slice(to), two.k.slice(to).transpose());
      const later = { Q: qk, K: qk.transpose(), V: product(two.v.slice(to), two.o.slice(to)) };
      for (const kind of ["Q", "K", "V"] as const) {
        const expected = norm(product(written, later[kind])) / (norm(written) * norm(later[kind]));
        const found = scores.at(kind, { layer: 0, head: from }, { layer: 2, head: to });
        expect(Math.abs(found - expected), kind).toBeLessThan(1e-6 * Math.max(expected, 0.1));
      }
    }
    expect(scores.rows).toHaveLength(3 * ((model.layers * (model.layers - 1)) / 2) * model.heads ** 2);
    expect(scores.rows.every(({ score }) => score >= 0 && score <= 1)).toBe(true);
  });

  it("singular values: their squares sum to the squared norm, vectors give the matrix back", async () => {
    for (const of of ["OV", "QK"] as const) {
      const spectra = await headSpectra(model, { of, layers: [1] });
      const { q, k, v, o } = await headWeights(model, 1, "raw", {});
      const whole = of === "OV" ? einsum("mk,kn->mn", wide(v.slice(2)), wide(o.slice(2))) : einsum("mk,nk->mn", wide(q.slice(2)), wide(k.slice(2))); // prettier-ignore
      const { values, left, right } = spectra.at(1, 2);
      expect(values).toEqual([...values].sort((a, b) => b - a));
      expect(Math.hypot(...values) / norm(whole)).toBeCloseTo(1, 10);
      const again = new Float64Array(whole.size);
      const [rows, columns] = whole.shape;
      values.forEach((s, i) => {
        for (let m = 0; m < rows; m++) for (let n = 0; n < columns; n++) again[m * columns + n] += s * left[i][m] * right[i][n]; // prettier-ignore
      });
      expect(maxDiff(again, whole.numbers())).toBeLessThan(1e-10);
      const { largest, "first share": share, "effective rank": rank } = spectra.scores.at(1, 2).values;
      expect(largest).toBe(values[0]);
      expect(share).toBeCloseTo((values[0] / norm(whole)) ** 2, 10);
      expect(rank).toBeGreaterThan(1);
      expect(rank).toBeLessThanOrEqual(model.headDim);
      expect(() => spectra.at(0, 0)).toThrow(/no layer 0, head 0; known: layers 1/);
    }
  });
});

describe("composition", () => {
  it("of folded weights is that of the stored ones with the norms taken in, and the table shows itself", async () => {
    const { folder } = await readOracle("gpt2");
    const stored = await readTensors(`${folder}/model.safetensors`);
    const get = (suffix: string): Tensor => [...stored].find(([key]) => key.endsWith(suffix))![1];
    const [attention, output, scale] = ["h.1.attn.c_attn.weight", "h.1.attn.c_proj.weight", "h.1.ln_1.weight"].map(get);
    const model = await load(folder);
    const { k, o } = await headWeights(model, 1, "folded", {});
    const [head, d, M, D] = [2, 5, 48, 12];
    const column = Array.from({ length: M }, (_, m) => scale.item(m) * attention.item(m, M + head * D + d));
    const mean = column.reduce((a, b) => a + b, 0) / M;
    column.forEach((x, m) => expect(Math.abs(k.item(head, m, d) - (x - mean))).toBeLessThan(1e-6));
    const row = Array.from({ length: M }, (_, m) => output.item(head * D + d, m));
    const rowMean = row.reduce((a, b) => a + b, 0) / M;
    row.forEach((x, m) => expect(Math.abs(o.item(head, d, m) - (x - rowMean))).toBeLessThan(1e-6));

    const [raw, folded] = [await compositionScores(model), await compositionScores(model, { weights: "folded" })];
    expect(folded.rows[0].score).not.toBe(raw.rows[0].score);
    expect(raw.sorted("K").rows.every(({ kind }) => kind === "K")).toBe(true);
    expect(raw.toCsv().split("\r\n")[0]).toBe("kind,fromLayer,fromHead,toLayer,toHead,score");
    expect(raw.toLatex()).toMatch(/\\bottomrule/);
    expect((await shown(raw))["text/plain"]).toMatch(
      /raw weights; random directions would score 0\.144[\s\S]*the 20 largest of 144 scores/,
    );
    expect(() => raw.at("Q", { layer: 1, head: 0 }, { layer: 1, head: 1 })).toThrow(/must be in an earlier layer/);
    await expect(compositionScores(model, { weights: "fold" as "raw" })).rejects.toThrow(/did you mean "folded"\?/);
    await model.dispose();
  });
});

describe("singular values of a product", () => {
  it("planted: two directions of sizes 6 and 2, and nothing else", () => {
    const unit = (i: number): Float64Array => new Float64Array(7).map((_, j) => (i === j ? 1 : 0));
    const scaled = (x: Float64Array, by: number): Float64Array => x.map((each) => each * by);
    const zero = new Float64Array(7);
    const { values, left, right } = svdOfProduct([scaled(unit(3), 2), unit(5), zero], [scaled(unit(1), 3), scaled(unit(2), 2), unit(0)]); // prettier-ignore
    [6, 2, 0].forEach((x, i) => expect(values[i]).toBeCloseTo(x, 14));
    expect(Math.abs(left[0][3])).toBeCloseTo(1, 14);
    expect(Math.abs(right[1][2])).toBeCloseTo(1, 14);
  });

  it("of random factors are those of the eigenvalues of the Gram matrix, and vectors are orthonormal", () => {
    const draw = (name: string): Float64Array[] =>
      Array.from({ length: 4 }, (_, i) => Float64Array.from(random(1).fork(name).fork(i).normal([9], { dtype: "float64" }).data)); // prettier-ignore
    const { values, left, right } = svdOfProduct(draw("a"), draw("b"));
    for (const vectors of [left, right]) {
      vectors.forEach((x, i) =>
        vectors.forEach((y, j) =>
          expect(x.reduce((sum, each, m) => sum + each * y[m], 0)).toBeCloseTo(i === j ? 1 : 0, 12),
        ),
      );
    }
    expect(values.every((s) => s > 0)).toBe(true);
  });
});
