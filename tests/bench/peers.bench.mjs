// Attention Lab against TransformerLens (HookedTransformer and Bridge) and plain Hugging Face on a model of GPT-2 small's shape
// with random weights: runs with patterns, a sweep that takes out every head, attribution of logits and of patches.
//   node tests/bench/peers.bench.mjs --python <interpreter with torch, transformers and transformer-lens 3> [--rounds n] [--tokens n]
// The other sides are no dependencies of the project. Sides take turns within one run and must agree; figures are medians, of
// wall time and of processor time (which tells more on a machine that does other work). Our side runs as the kernel does.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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
const kernelSpec = JSON.parse(readFileSync(new URL("../../kernel/spec/kernel.json", import.meta.url), "utf8"));
if (Object.entries(kernelSpec.env).some(([name, value]) => process.env[name] !== value)) {
  const env = { ...process.env, ...kernelSpec.env };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { stdio: "inherit", env }).status ?? 1);
}
const rounds = Number(values.rounds);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const folder = mkdtempSync(join(tmpdir(), "attention-lab-peers-"));
const config = { n_layer: 12, n_head: 12, n_embd: 768, n_positions: 1024, vocab_size: 50257 };
const answers = [1234, 4321];
const ids = (seed, length) => Array.from({ length }, (_, i) => (seed + i * 7919) % config.vocab_size);

function lensSide() {
  const script = fileURLToPath(new URL("./peers/lensSide.py", import.meta.url));
  const own = Object.keys(kernelSpec.env);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.includes(name)));
  const child = spawn(values.python, [script], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...env, HF_HUB_OFFLINE: "1" },
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
  const before = process.cpuUsage();
  const start = performance.now();
  const check = await work();
  const { user, system } = process.cpuUsage(before);
  return { check, wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
};

/** Medians of variants that take turns; a first round, in which those that need it compile, is not counted. */
async function compare(title, variants, count = rounds, tolerance = 2e-3) {
  const times = variants.map(() => ({ wall: [], cpu: [] }));
  for (let round = 0; round <= count; round++) {
    let expected;
    for (const [i, { name, work, warm = true }] of variants.entries()) {
      if (round === 0 && !warm) continue;
      const { check, wallMs, cpuMs } = await work();
      if (round > 0) {
        times[i].wall.push(wallMs);
        times[i].cpu.push(cpuMs);
      }
      expected ??= check;
      const worst = Math.max(0, ...check.map((x, at) => Math.abs(x - expected[at])));
      if (check.length !== expected.length || !(worst <= tolerance))
        throw new Error(`${title}: ${name} is off by ${worst}`);
      await pause(60);
    }
  }
  console.log(title);
  const medians = times.map(({ wall, cpu }) => ({ wall: median(wall), cpu: median(cpu) }));
  const [ours] = medians;
  variants.forEach(({ name }, i) => {
    const { wall, cpu } = medians[i];
    const share = i === 0 ? "" : `   ours ÷ it: ${(ours.wall / wall).toFixed(2)}, ${(ours.cpu / cpu).toFixed(2)}`;
    console.log(
      `  ${name.padEnd(38)}${wall.toFixed(1).padStart(9)} ms, processor ${cpu.toFixed(1).padStart(9)} ms${share}`,
    );
  });
  return medians;
}

const inPasses = (work, pass) =>
  `${(work.wall / pass.wall).toFixed(2)} (processor ${(work.cpu / pass.cpu).toFixed(2)})`;

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
  const lastDifference = (logits, last) => [logits.item(0, last, answers[0]) - logits.item(0, last, answers[1])];
  const ask = (what, kind) => () => peer.ask({ do: what, kind, ids: corrupted, clean, answers });

  for (const tokens of [length, 128]) {
    const input = ids(99, tokens);
    const forward = (kind, what) => () => peer.ask({ do: "forward", kind, ids: input, answers, ...what });
    const all = own(async () => lastDifference((await model.run({ inputIds: [input] })).logits, tokens - 1));
    await compare(`Run with logits and every pattern, T = ${tokens}`, [
      { name: "Attention Lab", work: all },
      { name: "TransformerLens Bridge", work: forward("bridge", { patterns: true }) },
      { name: "TransformerLens HookedTransformer", work: forward("hooked", { patterns: true }) },
      { name: "Hugging Face, eager", work: forward("hf", { patterns: true }) },
      { name: "Hugging Face, no patterns", work: forward("hf", { patterns: false }) },
    ]);
    const alone = own(async () => {
      const run = await model.run({ inputIds: [input] }, { outputs: false });
      return [run.at(`blocks.${config.n_layer - 1}.attn.pattern`).item(0, 3, tokens - 1, 0)];
    });
    await compare(`Every pattern and no logits, T = ${tokens}`, [
      { name: "Attention Lab", work: alone },
      { name: "TransformerLens Bridge", work: forward("bridge", { patterns: true, alone: true }) },
      { name: "TransformerLens HookedTransformer", work: forward("hooked", { patterns: true, alone: true }) },
    ]);
  }

  for (const tokens of [length, 128]) {
    const one = { inputIds: [ids(4242, tokens)] };
    const metricOnly = (repeated) =>
      own(async () => [
        (await model.compute(one, (site) => ({ value: metric.write(site, [0]) }), { repeated })).value.item(0),
      ]);
    const plain = own(async () => lastDifference((await model.run(one, { patterns: false })).logits, tokens - 1));
    const attributed = own(async () => [(await logitAttribution(model, one, { metric })).metric]);
    const [both, bare, run] = await compare(
      `Logit attribution of every head and MLP, T = ${tokens}`,
      [
        { name: "Attention Lab", work: attributed },
        { name: "one pass for the metric alone", work: metricOnly(true) },
        { name: "one run with logits", work: plain },
      ],
      3 * rounds,
    );
    console.log(`  passes for the metric alone: ${inPasses(both, bare)}; runs with logits: ${inPasses(both, run)}`);
    if (tokens !== length) continue;

    const patched = own(async () => {
      const [inputs, others] = [{ inputIds: [clean] }, { inputIds: [corrupted] }];
      const { effects } = await attributionPatching(model, inputs, others, { metric, checkedLayers: [] });
      return effects.flat();
    });
    const [estimated] = await compare(`Attribution patching of 144 heads, T = ${tokens}`, [
      { name: "Attention Lab", work: patched },
      // The Bridge's hooks see copies that have no derivative.
      { name: "TransformerLens HookedTransformer", work: ask("attribute", "hooked") },
    ]);
    console.log(
      `  passes for the metric alone: ${inPasses(estimated, bare)}; runs with logits: ${inPasses(estimated, run)}`,
    );

    let [passes, batches] = [0, 0];
    const compute = model.compute.bind(model);
    model.compute = (...request) => {
      passes++;
      return compute(...request);
    };
    const sweep = own(async () => {
      passes = 0;
      const table = await ablate(model, one, { metric, randomHeads: 0 });
      batches = passes;
      return table.rows.map(({ effect }) => effect);
    });
    const [swept] = await compare(
      `Taking out each of 144 heads, T = ${tokens}`,
      [
        { name: "Attention Lab", work: sweep },
        { name: "TransformerLens Bridge", warm: false, work: ask("ablate", "bridge") },
        { name: "TransformerLens HookedTransformer", warm: false, work: ask("ablate", "hooked") },
      ],
      1,
    );
    const [fleeting] = await compare(`One pass for the metric in a graph of the sweep's kind, T = ${tokens}`, [
      { name: "Attention Lab", work: metricOnly(false) },
    ]);
    console.log(
      `  the sweep: ${batches} small graphs; the time of ${inPasses(swept, fleeting)} of these, of ${inPasses(swept, run)} runs with logits`,
    );
    delete model.compute;
  }
  await model.dispose();
} finally {
  peer.end();
  rmSync(folder, { recursive: true });
}
process.exit(0);
