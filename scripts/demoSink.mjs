// Trains the model that load("demo-sink") gives: one layer and one head on Bigram-Backcopy, whose sink is certain.
//   node scripts/demoSink.mjs [--out kernel/demos/demo-sink] [--steps 2000]
// The same seeds give the same loss; stopped, the same command goes on from .cache/demo-sink.checkpoint.
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { adam, save, tasks, train, transformer } from "../kernel/lib/index.js";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { values } = parseArgs({
  options: {
    out: { type: "string", default: here("kernel/demos/demo-sink") },
    steps: { type: "string", default: "2000" },
  },
});
const task = tasks.bigramBackcopy({ length: 64 });
const start = await transformer({
  ...{ layers: 1, heads: 1, width: 64, length: task.length, vocabulary: task.vocabulary, first: task.first },
  ...{ embedding: 1, name: "demo-sink" },
});
const checkpoint = here(".cache/demo-sink.checkpoint");
const { model, fit } = await train(start, task, {
  ...{ steps: Number(values.steps), batchSize: 64, optimiser: adam({ rate: 1e-3, weightDecay: 1e-4 }) },
  ...{ checkpoint, evaluateEvery: 250 },
});
await save(model, values.out);
console.log(fit.describe());
for (const { step, values: found } of fit.evaluations) {
  console.log(step, Object.entries(found).map(([name, x]) => `${name} ${x.toFixed(4)}`).join(", ")); // prettier-ignore
}
console.log(`the least possible loss of its bigrams is ${tasks.bigramFloor(task).toFixed(4)}`);
rmSync(checkpoint, { force: true });
process.exit(0);
