import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { adam, load, random, save, tasks, Tensor, train, transformer, transnormer } from "../../kernel/lib/index.js";
import { weightsOf, withWeights } from "../../kernel/lib/training/index.js";
import { exactLogits, slopes } from "./exact.js";

type Rows = readonly (readonly number[])[];
type Weights = Readonly<Record<string, Tensor>>;

const folder = mkdtempSync(join(tmpdir(), "attention-lab-transnormer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const task = tasks.copying({ vocabulary: 6, period: 5 });
const [layers, heads, width] = [3, 2, 6];
const sizes = { heads, width, mlpWidth: 7, vocabulary: task.vocabulary, length: task.length };
const ids = task.row(0).ids.map(Number);

/** x · W + b, row by row. */
function linear(weights: Weights, name: string, x: Rows): number[][] {
  const [w, b] = [weights[`${name}.weight`].numbers(), weights[`${name}.bias`].numbers()];
  return x.map((row) =>
    Array.from(b, (bias, c) => row.reduce((sum, each, r) => sum + each * w[r * b.length + c], bias)),
  );
}

const added = (a: Rows, b: Rows): number[][] => a.map((row, t) => row.map((x, c) => x + b[t][c]));
const times = (a: Rows, b: Rows): number[][] => a.map((row, t) => row.map((x, c) => x * b[t][c]));
const swish = (x: number): number => x / (1 + Math.exp(-x));

/** Eq. 8. */
const srmsNorm = (x: Rows): number[][] =>
  x.map((row) => row.map((each) => each / (Math.sqrt(row.reduce((sum, y) => sum + y * y, 0)) / Math.sqrt(row.length))));

/** The paper's model in plain float64 loops: eq. 9 of layers, with eq. 1–2 in the first and their decay in the others. */
function logitsOf(weights: Weights): number[] {
  const table = weights["embed.weight"].numbers();
  let x: number[][] = ids.map((id) => Array.from(table.subarray(id * width, (id + 1) * width)));
  for (let l = 1; l <= layers; l++) {
    const part = (name: string): string => `blocks.${l - 1}.${name}`;
    const read = srmsNorm(x);
    const qkv = linear(weights, part("attn.qkv"), read);
    const u = linear(weights, part("attn.gate.gate"), read);
    const dim = width / heads;
    const mixed = ids.map((_, s) =>
      Array.from({ length: width }, (__, e) => {
        const h = Math.floor(e / dim);
        const lambda = Math.exp(((-8 * (h + 1)) / heads) * (1 - l / layers));
        let sum = 0;
        for (let t = 0; t <= s; t++) {
          let score = 0;
          for (let c = h * dim; c < (h + 1) * dim; c++) {
            const turn = l === 1 ? weights[part("attn.turn")].numbers()[c] : 0;
            const theta = turn * 10_000 ** ((-2 * c) / width);
            score += swish(qkv[s][c]) * swish(qkv[t][width + c]) * Math.cos(theta * (s - t));
          }
          sum += lambda ** (s - t) * score * qkv[t][2 * width + e];
        }
        return sum;
      }),
    );
    x = added(x, linear(weights, part("attn.out"), times(srmsNorm(mixed), u)));
    const shared = srmsNorm(x);
    const [v, gate] = ["in", "gate"].map((side) => linear(weights, part(`mlp.${side}`), shared));
    x = added(x, linear(weights, part("mlp.out"), times(v, gate)));
  }
  const unembed = weights["unembed.weight"].numbers();
  const count = unembed.length / width;
  return srmsNorm(x).flatMap((row) =>
    Array.from({ length: count }, (_, id) => row.reduce((sum, y, c) => sum + y * unembed[c * count + id], 0)),
  );
}

it("a model of its blocks is the paper's, with any weights", async () => {
  const made = await transformer({ ...transnormer({ layers }), ...sizes });
  // Biases and angles away from where they start.
  const weights = Object.fromEntries(
    Object.entries(await weightsOf(made)).map(([name, tensor], i) => {
      const { shape } = tensor;
      const moves = random(100 + i)
        .normal(shape)
        .numbers();
      return [
        name,
        new Tensor(
          "float32",
          shape,
          Float32Array.from(tensor.numbers(), (x, j) => x + 0.2 * moves[j]),
        ),
      ];
    }),
  );
  const wanted = logitsOf(weights);
  exactLogits(made, weights, ids)
    .numbers()
    .forEach((x, i) => expect(Math.abs(x - wanted[i])).toBeLessThan(1e-9));
  const run = await withWeights(made, weights).run({ inputIds: [ids] });
  run.logits.numbers().forEach((x, i) => expect(Math.abs(x - wanted[i])).toBeLessThan(2e-4));
});

it("it learns along its gradients, and comes back from its file", async () => {
  const model = await transformer({ ...transnormer({ layers: 2, turned: "every" }), ...sizes });
  const [along, measured] = slopes(model, await weightsOf(model), ids);
  expect(Math.abs(along / measured - 1)).toBeLessThan(1e-5);
  const { fit, model: trained } = await train(model, task, { steps: 30, batchSize: 8, testRows: 0, optimiser: adam({ rate: 1e-2 }) }); // prettier-ignore
  expect(fit.recent("loss", 3)).toBeLessThan(fit.losses[0]);
  await save(trained, folder);
  const again = await load(folder);
  expect((await again.run({ inputIds: [ids] })).logits.data).toEqual(
    (await trained.run({ inputIds: [ids] })).logits.data,
  );
});

it("options are one per layer, and wrong ones are refused", async () => {
  const parts = transnormer({ layers: 4, slopes: "ALiBi slopes" });
  expect(parts.mechanismOptions).toEqual([
    { slopes: "ALiBi slopes", depth: 0.25, turned: true },
    { slopes: "ALiBi slopes", depth: 0.5, turned: false },
    { slopes: "ALiBi slopes", depth: 0.75, turned: false },
    { slopes: "ALiBi slopes", depth: 1, turned: false },
  ]);
  expect(() => transnormer({ layers: 2, slope: "8h/H" } as never)).toThrow(
    'unknown option "slope"; did you mean "slopes"',
  );
  await expect(transformer({ ...parts, ...sizes, layers: 2 })).rejects.toThrow(
    "mechanismOptions for each of 2 layers, got 4",
  );
  const wrong = [{ depth: 2 }, { deep: 1 }].map((mechanismOptions) =>
    transformer({ ...parts, ...sizes, layers: 1, mechanismOptions: [mechanismOptions] }),
  );
  await expect(wrong[0]).rejects.toThrow("depth must be a number from 0 to 1, got 2");
  await expect(wrong[1]).rejects.toThrow('mechanismOptions of layer 0: unknown option "deep"');
});
