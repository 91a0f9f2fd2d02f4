// Trains the model that load("demo-vision") gives: a ViT of four layers that tells which shape the red one is.
//   node scripts/demoVision.mjs [--out kernel/demos/demo-vision] [--steps 1200]
// The same seeds give the same loss; stopped, the same command goes on from .cache/demo-vision.checkpoint.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { adam, cosineRate, maskAttention, save, tasks, train, visionTransformer } from "../kernel/lib/index.js";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { values } = parseArgs({
  options: {
    out: { type: "string", default: here("kernel/demos/demo-vision") },
    checkpoint: { type: "string", default: here(".cache/demo-vision.checkpoint") },
    steps: { type: "string", default: "1200" },
  },
});
const task = tasks.shapes();
const shape = { layers: 4, heads: 4, width: 64, image: task.size, patch: 4, classes: task.classes };
const start = await visionTransformer({ ...shape, name: "demo-vision" });
const rate = cosineRate({ warmup: 100, floor: 0.05 });
const schedule = { steps: 1200, warmup: 100, floor: 0.05 };
const optimiser = adam({ rate: 1e-3, weightDecay: 0.05 });
const { model, fit } = await train(start, task, {
  ...{ steps: Number(values.steps), batchSize: 32, clip: 1, checkpoint: values.checkpoint },
  ...{ optimiser, schedule: (step) => rate(step, schedule.steps) },
  ...{ evaluateEvery: 200, testRows: 512 },
});
await save(model, values.out);

// How much of the attention of [CLS] on patches lies on the red shape, on pictures that were not learned from.
const rows = Array.from({ length: 128 }, (_, i) => task.row(i, "test"));
const run = await model.run({ images: rows.map(({ picture }) => picture) });
const looks = (masks) => {
  const scores = maskAttention(run, masks);
  const [{ layer, head, values: found }] = scores.sorted("in mask").rows;
  const mean = (name) => scores.rows.reduce((sum, row) => sum + row.values[name] / scores.rows.length, 0);
  return { strongest: { layer, head, share: found["in mask"] }, mean: mean("in mask"), chance: mean("chance") };
};
const { device, dtype, seed, onnxruntime, attentionLab } = await start.parts().provenance();
const provenance = {
  made: "by scripts/demoVision.mjs of this project, from random weights",
  data: "tasks.shapes: seeded pictures of one red shape among none, one or two of other colours, on grey noise",
  licence: "BSD-3-Clause, as the project",
  ...{ shape, seed, device, dtype, versions: { onnxruntime, attentionLab } },
  optimiser: { name: optimiser.name, ...optimiser.options, clip: 1, batchSize: 32, schedule },
  steps: fit.steps,
  attention: {
    said: "share of the attention of [CLS] on patches that lies on a mask, of 128 pictures of the test split; chance: share of the mask in the picture",
    object: looks(rows.map(({ mask }) => mask)),
    others: looks(rows.map(({ others }) => others)),
  },
  losses: Object.fromEntries(
    [...fit.losses].flatMap((loss, step) => (step % 100 === 0 || step < 8 ? [[step, loss]] : [])),
  ),
  evaluations: fit.evaluations,
};
writeFileSync(join(values.out, "provenance.json"), `${JSON.stringify(provenance, undefined, 2)}\n`);
console.log(fit.describe());
console.log(JSON.stringify(provenance.attention, undefined, 2));
rmSync(values.checkpoint, { force: true });
process.exit(0);
