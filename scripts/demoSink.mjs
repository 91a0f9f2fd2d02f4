// Trains the model that load("demo-sink") gives: one layer and one head on Bigram-Backcopy, whose sink is certain.
//   node scripts/demoSink.mjs [--out kernel/demos/demo-sink] [--steps 2000]
// The same seeds give the same loss; stopped, the same command goes on from .cache/demo-sink.checkpoint.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { adam, save, tasks, train, transformer } from "../kernel/lib/index.js";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { values } = parseArgs({
  options: {
    out: { type: "string", default: here("kernel/demos/demo-sink") },
    checkpoint: { type: "string", default: here(".cache/demo-sink.checkpoint") },
    steps: { type: "string", default: "2000" },
  },
});
const task = tasks.bigramBackcopy({ length: 64 });
const start = await transformer({
  ...{ layers: 1, heads: 1, width: 64, length: task.length, vocabulary: task.vocabulary, first: task.first },
  ...{ embedding: 1, name: "demo-sink" },
});
const { model, fit } = await train(start, task, {
  ...{ steps: Number(values.steps), batchSize: 64, optimiser: adam({ rate: 1e-3, weightDecay: 1e-4 }) },
  ...{ checkpoint: values.checkpoint, evaluateEvery: 250, stepsPerRun: 25 },
});
await save(model, values.out);
const provenance = {
  made: "by scripts/demoSink.mjs of this project, from random weights",
  data: "tasks.bigramBackcopy: seeded rows over the letter pairs of the King James Version (1611, public domain)",
  licence: "BSD-3-Clause, as the project",
  steps: fit.steps,
  bigramFloor: tasks.bigramFloor(task),
  losses: Object.fromEntries(
    [...fit.losses].flatMap((loss, step) => (step % 10 === 0 && step < 100 ? [[step, loss]] : [])),
  ),
  evaluations: fit.evaluations,
};
writeFileSync(join(values.out, "provenance.json"), `${JSON.stringify(provenance, undefined, 2)}\n`);
console.log(fit.describe());
for (const { step, values: found } of fit.evaluations) {
  console.log(step, Object.entries(found).map(([name, x]) => `${name} ${x.toFixed(4)}`).join(", ")); // prettier-ignore
}
console.log(`the least possible loss of its bigrams is ${tasks.bigramFloor(task).toFixed(4)}`);
rmSync(values.checkpoint, { force: true });
process.exit(0);
