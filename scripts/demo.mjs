// Trains the model that load("demo") gives: four layers that continue the King James Version, in tokens of their own.
//   node scripts/demo.mjs --text kjv.txt [--out kernel/demos/demo] [--steps 2350]
// The text is what Debian's packages bible-kjv and bible-kjv-text print: bible "gen1:1-rev22:21" > kjv.txt. Its hash is checked;
// --sha256 names that of another text. Half of the rows are one passage again and again, so that it pays to look back.
// The same seeds give the same loss; stopped, the same command goes on from .cache/demo.checkpoint.
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { adam, cosineRate, headRoles, save, sinks, tasks, train, transformer } from "../kernel/lib/index.js";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { values } = parseArgs({
  options: {
    text: { type: "string", default: "kjv.txt" },
    sha256: { type: "string", default: "82fa5f3788c6a9a010fb128a0f0bf588984b5888a82058520620eded59b033ea" },
    out: { type: "string", default: here("kernel/demos/demo") },
    checkpoint: { type: "string", default: here(".cache/demo.checkpoint") },
    steps: { type: "string", default: "2350" },
  },
});
const printed = readFileSync(values.text);
const found = createHash("sha256").update(printed).digest("hex");
if (found !== values.sha256) {
  console.error(`demo: ${values.text} is another text; expected sha256 ${values.sha256}, got ${found}`);
  process.exit(1);
}

// One verse a line, without numbers and headings.
const book = printed
  .toString("utf8")
  .split(/\n(?= {1,2}\d+ )/)
  .slice(1)
  .map((verse) =>
    verse
      .replace(/\n\n[^]*$/, "")
      .replace(/^ *\d+ /, "")
      .replace(/\s+/g, " ")
      .trim(),
  ) // prettier-ignore
  .join("\n");
const first = "<s>";
const tokens = tasks.bpe(book, { size: 1024, special: [first] });
const rows = { length: 128, first, test: 0.05, repeated: 0.5, period: [6, 60], scrambled: 0.6 };
const task = tasks.text(book, { ...rows, tokens });
const shape = { layers: 4, heads: 4, width: 128, length: task.length, positions: "rotary", first };
const start = await transformer({ ...shape, vocabulary: tokens, name: "demo" });
const rate = cosineRate({ warmup: 100, floor: 0.05 });
const schedule = { steps: 3600, warmup: 100, floor: 0.05 };
const optimiser = adam({ rate: 2e-3, beta2: 0.98, weightDecay: 0.01 });
const { model, fit } = await train(start, task, {
  ...{ steps: Number(values.steps), batchSize: 16, clip: 1, checkpoint: values.checkpoint },
  ...{ optimiser, schedule: (step) => rate(step, schedule.steps) },
  ...{ evaluateEvery: 300, stepsPerRun: 5, checkpointEvery: 50, testRows: 128 },
});
await save(model, values.out);

// What its heads do on random tokens that repeat, and how much each gives to <s> on verses that it did not learn from.
const period = 40;
const repeats = tasks.repeatedTokens({ count: 8, period, low: 1, high: tokens.vocabulary.length, first: 0 });
const roles = await headRoles(model, repeats, { period });
const best = (measure) => {
  const [{ layer, head, values: scores }] = roles.sorted(measure).rows;
  return { layer, head, score: scores[measure] };
};
const verses = { inputIds: Array.from({ length: 8 }, (_, i) => [0, ...tokens.encode(book.split("\n").at(-1 - i))].slice(0, task.length)) }; // prettier-ignore
const report = await sinks(model, verses);
const onFirst = report.heads.toSorted((a, b) => b.received - a.received)[0];
const { device, dtype, seed, onnxruntime, attentionLab } = await start.parts().provenance();
const provenance = {
  made: "by scripts/demo.mjs of this project, from random weights",
  data: "the King James Version (1611, public domain) as Debian's packages bible-kjv and bible-kjv-text 4.38 print it, verses without numbers",
  sha256: values.sha256,
  licence: "BSD-3-Clause, as the project",
  tokens: `tasks.bpe, ${tokens.vocabulary.length} in all`,
  rows: {
    ...rows,
    said: "half of the rows are one passage again and again; six in ten of those are of random tokens, asked for from the second time on",
  },
  ...{ shape, seed, device, dtype, versions: { onnxruntime, attentionLab } },
  optimiser: { name: optimiser.name, ...optimiser.options, clip: 1, batchSize: 16, schedule },
  steps: fit.steps,
  heads: {
    said: `on 8 rows of ${period} random tokens, twice, after <s>: headRoles; on the last 8 verses: sinks`,
    induction: best("induction diagonal"),
    previous: best("previous diagonal"),
    mostOnFirst: { layer: onFirst.layer, head: onFirst.head, received: onFirst.received },
    meanOnFirst: report.heads.reduce((sum, { received }) => sum + received, 0) / report.heads.length,
  },
  losses: Object.fromEntries(
    [...fit.losses].flatMap((loss, step) => (step % 100 === 0 || step < 6 ? [[step, loss]] : [])),
  ),
  evaluations: fit.evaluations,
};
writeFileSync(join(values.out, "provenance.json"), `${JSON.stringify(provenance, undefined, 2)}\n`);
console.log(fit.describe());
console.log(JSON.stringify(provenance.heads, undefined, 2));
rmSync(values.checkpoint, { force: true });
process.exit(0);
