import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { adam, load, save, sgd, tasks, train, transformer, visionTransformer } from "../../kernel/lib/index.js";

const folder = mkdtempSync(join(tmpdir(), "attention-lab-vision-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const task = tasks.shapes({ size: 16 });
const shape = { layers: 2, heads: 2, width: 8, image: 16, classes: task.classes } as const;
const common = { batchSize: 8, testRows: 16, optimiser: adam({ rate: 3e-3 }) } as const;

/** The mean of −ln p(label), in float64 from a run's logits. */
async function lossOf(model: Awaited<ReturnType<typeof visionTransformer>>, step: number): Promise<number> {
  const { pixelValues, labels } = task.batch(step, 8);
  const { logits } = await model.run({ pixelValues });
  const each = Array.from(labels.data, (label, b) => {
    const row = Array.from({ length: task.classes.length }, (_, c) => logits.item(b, c));
    return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[label];
  });
  return each.reduce((sum, x) => sum + x, 0) / each.length;
}

describe("a vision transformer is trained on pictures", () => {
  it("its losses are those of its runs, its slopes those of differences, and its test that of its own logits", async () => {
    const model = await visionTransformer(shape);
    const rate = 1e-4;
    const { fit } = await train(model, task, { ...common, steps: 2, optimiser: sgd({ rate }) });
    // One step of descent: the loss of the same batch falls by rate · |slopes|², to first order.
    const one = await train(model, task, { ...common, steps: 1, optimiser: sgd({ rate }) });
    expect(fit.losses[0]).toBeCloseTo(await lossOf(model, 0), 5);
    expect(fit.losses[1]).toBeCloseTo(await lossOf(one.model, 1), 5);
    const fell = fit.losses[0] - (await lossOf(one.model, 0));
    expect(fell / (rate * fit.norms[0] ** 2)).toBeGreaterThan(0.95);
    expect(fell / (rate * fit.norms[0] ** 2)).toBeLessThan(1.05);
    const { pixelValues, labels } = task.batch(0, 16, "test");
    const { logits } = await one.model.run({ pixelValues });
    const best = Array.from(labels.data, (label, b) => {
      const row = Array.from({ length: 4 }, (_, c) => logits.item(b, c));
      return row.indexOf(Math.max(...row)) === label;
    });
    expect(one.test["accuracy"]).toBeCloseTo(best.filter(Boolean).length / 16, 9);
  });

  it("learns; the same seeds give the same weights bit for bit; what is saved is loaded, pictures and all", async () => {
    const model = await visionTransformer(shape);
    const options = { ...common, steps: 40, capture: { steps: [0, 40] } };
    const first = await train(model, task, options);
    const second = await train(model, task, { ...options, stepsPerRun: 1 });
    expect(second.fit.losses).toEqual(first.fit.losses);
    expect(first.fit.recent("loss", 5)).toBeLessThan(first.fit.losses[0] - 0.3);
    expect(first.snapshots.map(({ run }) => run.tokens[0][1])).toEqual(["r0c0", "r0c0"]);
    await save(first.model, join(folder, "saved"));
    const again = await load(join(folder, "saved"));
    const images = [task.row(0, "test").picture];
    const [a, b] = [await again.run({ images }), await first.model.run({ images })];
    expect(a.logits.data).toEqual(b.logits.data);
    expect(again.architecture).toBe("ViTForImageClassification");
    const other = await visionTransformer({ ...shape, seed: 1 });
    expect((await other.run({ images })).logits.data).not.toEqual((await model.run({ images })).logits.data);
  });

  it("refuses tasks and options that do not fit, with what would", async () => {
    const model = await visionTransformer(shape);
    const options = { ...common, steps: 1 };
    const texts = tasks.copying({ vocabulary: 4, period: 3 });
    await expect(train(model, texts, options)).rejects.toThrow(
      "train: ViTForImageClassification reads pictures; expected a task that gives some, got copying; known: shapes",
    );
    const reads = await transformer({ layers: 1, heads: 1, width: 8, vocabulary: 8, length: 8 });
    await expect(train(reads, task, options)).rejects.toThrow("expected a classifier of pictures, got");
    await expect(train(model, tasks.shapes({ size: 32 }), options)).rejects.toThrow(
      "train: pictures of shapes are [3,32,32], but visionTransformer reads [3,16,16]",
    );
    const two = await visionTransformer({ ...shape, classes: ["a", "b"] });
    await expect(train(two, task, options)).rejects.toThrow(
      "train: shapes has 4 classes, but visionTransformer tells 2 apart",
    );
    await expect(visionTransformer({ ...shape, width: 9 })).rejects.toThrow("width must be a multiple of heads");
    await expect(visionTransformer({ ...shape, image: 18 })).rejects.toThrow("image must be a multiple of patch");
    await expect(visionTransformer({ ...shape, classes: ["a"] })).rejects.toThrow("at least two classes");
    await expect(visionTransformer({ ...shape, pach: 4 } as never)).rejects.toThrow('did you mean "patch"?');
  });
});
