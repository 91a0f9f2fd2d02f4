// Attention Lab against TransformerLens (HookedTransformer and Bridge) and plain Hugging Face on a model of GPT-2 small's shape
// with random weights: runs with patterns, a sweep that takes out every head, attribution of logits and of patches.
//   node tests/bench/peers.bench.mjs --python <interpreter with torch, transformers and transformer-lens 3> [--rounds n] [--tokens n]
// The other sides are no dependencies of the project. Sides take turns within one run and must agree; figures are medians.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ablate, attributionPatching, load, logitAttribution, logitDifference } from "../../kernel/lib/index.js";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    rounds: { type: "string", default: "5" },
    tokens: { type: "string", default: "16" },
  },
});
const rounds = Number(values.rounds);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const folder = mkdtempSync(join(tmpdir(), "attention-lab-peers-"));
const config = { n_layer: 12, n_head: 12, n_embd: 768, n_positions: 1024, vocab_size: 50257 };
const answers = [1234, 4321];
const ids = (seed, length) => Array.from({ length }, (_, i) => (seed + i * 7919) % config.vocab_size);

function lensSide() {
  const script = fileURLToPath(new URL("./peers/lensSide.py", import.meta.url));
  const child = spawn(values.python, [script], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error("the Python side ended");
        if (value.startsWith("{")) return JSON.parse(value);
      }
    },
    end: () => child.stdin.end(),
  };
}

/** Our own work, timed as the other side times its. */
const own = (work) => async () => {
  const start = performance.now();
  const check = await work();
  return { check, wallMs: performance.now() - start };
};

/** Medians of variants that take turns; a first round, in which those that need it compile, is not counted. */
async function compare(title, variants, count = rounds, tolerance = 2e-3) {
  const times = variants.map(() => []);
  for (let round = 0; round <= count; round++) {
    let expected;
    for (const [i, { name, work, warm = true }] of variants.entries()) {
      if (round === 0 && !warm) continue;
      const { check, wallMs } = await work();
      if (round > 0) times[i].push(wallMs);
      expected ??= check;
      const worst = Math.max(0, ...check.map((x, at) => Math.abs(x - expected[at])));
      if (check.length !== expected.length || !(worst <= tolerance))
        throw new Error(`${title}: ${name} is off by ${worst}`);
      await pause(60);
    }
  }
  console.log(title);
  const medians = times.map(median);
  variants.forEach(({ name }, i) => {
    const share = i === 0 ? "" : `   ours ÷ it: ${(medians[0] / medians[i]).toFixed(2)}`;
    console.log(`  ${name.padEnd(34)}${medians[i].toFixed(1).padStart(9)} ms${share}`);
  });
  return medians;
}

if (!values.python) {
  console.log(
    "peers: nothing to compare with; pass --python <interpreter with torch, transformers and transformer-lens>",
  );
  process.exit(0);
}
const peer = lensSide();
try {
  await peer.ask({ do: "make", folder, config });
  const model = await load(folder);
  const metric = logitDifference(...answers);
  const length = Number(values.tokens);
  const [clean, corrupted] = [ids(11, length), ids(4242, length)];
  const forward = (kind, tokens, patterns) => () => peer.ask({ do: "forward", kind, ids: tokens, patterns, answers });
  const difference = (logits, last) => [logits.item(0, last, answers[0]) - logits.item(0, last, answers[1])];
  const ask = (what, kind) => () => peer.ask({ do: what, kind, ids: corrupted, clean, answers });

  for (const tokens of [length, 128]) {
    const input = ids(99, tokens);
    const run = (patterns) =>
      own(async () => difference((await model.run({ inputIds: [input] }, { patterns })).logits, tokens - 1));
    await compare(`Run with every pattern, T = ${tokens}`, [
      { name: "Attention Lab", work: run(true) },
      { name: "TransformerLens Bridge", work: forward("bridge", input, true) },
      { name: "TransformerLens HookedTransformer", work: forward("hooked", input, true) },
      { name: "Hugging Face, eager", work: forward("hf", input, true) },
      { name: "Hugging Face, no patterns", work: forward("hf", input, false) },
    ]);
  }

  const one = { inputIds: [corrupted] };
  let passes = 0;
  const compute = model.compute.bind(model);
  model.compute = (...request) => {
    passes++;
    return compute(...request);
  };
  const metricOnly = own(async () => [
    (await compute(one, (site) => ({ value: metric.write(site, [0]) }))).value.item(0),
  ]);
  const [alone] = await compare(`One pass for the metric, T = ${length}`, [
    { name: "Attention Lab", work: metricOnly },
  ]);
  const sweep = own(async () => {
    passes = 0;
    const table = await ablate(model, one, { metric, randomHeads: 0 });
    return table.rows.map(({ effect }) => effect);
  });
  const [swept] = await compare(
    `Taking out each of 144 heads, T = ${length}`,
    [
      { name: "Attention Lab", work: sweep },
      { name: "TransformerLens Bridge", warm: false, work: ask("ablate", "bridge") },
      { name: "TransformerLens HookedTransformer", warm: false, work: ask("ablate", "hooked") },
    ],
    1,
  );
  console.log(`  ${passes} passes, the time of ${(swept / alone).toFixed(1)} for the metric alone`);

  const attributed = own(async () => [(await logitAttribution(model, one, { metric })).metric]);
  const [both, bare] = await compare(
    `Logit attribution of every head and MLP, T = ${length}`,
    [
      { name: "Attention Lab", work: attributed },
      { name: "one pass for the metric", work: metricOnly },
    ],
    2 * rounds,
  );
  console.log(`  more than the pass itself: ${((100 * (both - bare)) / bare).toFixed(1)} %`);

  const patched = own(async () => {
    const found = await attributionPatching(
      model,
      { inputIds: [clean] },
      { inputIds: [corrupted] },
      { metric, checkedLayers: [] },
    );
    return found.effects.flat();
  });
  const [estimated] = await compare(`Attribution patching of 144 heads, T = ${length}`, [
    { name: "Attention Lab", work: patched },
    // The Bridge's hooks see copies that have no derivative.
    { name: "TransformerLens HookedTransformer", work: ask("attribute", "hooked") },
  ]);
  console.log(`  the time of ${(estimated / alone).toFixed(2)} passes for the metric alone`);
  await model.dispose();
} finally {
  peer.end();
  rmSync(folder, { recursive: true });
}
process.exit(0);
