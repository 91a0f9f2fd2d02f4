// Time to load and run the demo model, with and without its patterns. Pairs are interleaved, with an A/A control.
//   node tests/bench/engine.bench.mjs [folder]
import { statSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { load } from "../../kernel/lib/index.js";

const folder = process.argv[2] ?? fileURLToPath(new URL("../../.cache/models/all-MiniLM-L6-v2", import.meta.url));
const weightMb = statSync(join(folder, "model.safetensors")).size / 1e6;
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function timed(work) {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
}

const rssBefore = process.memoryUsage().rss / 1e6;
const loading = await timed(() => load(folder));
const model = loading.result;
const first = await timed(() => model.run("A first run compiles the graph."));
console.log(`load: ${loading.wallMs.toFixed(0)} ms; first run, session included: ${first.wallMs.toFixed(0)} ms`);
const rss = process.memoryUsage().rss / 1e6 - rssBefore;
console.log(`resident memory added: ${rss.toFixed(0)} MB for ${weightMb.toFixed(0)} MB of weights`);

for (const tokens of [16, 128]) {
  const inputIds = [Array.from({ length: tokens }, (_, i) => 1000 + i)];
  const variants = { bare: { patterns: false }, "bare again": { patterns: false }, patterns: {} };
  const names = Object.keys(variants);
  const wall = Object.fromEntries(names.map((name) => [name, []]));
  const cpu = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < 31; round++) {
    for (const name of names) {
      const { wallMs, cpuMs } = await timed(() => model.run({ inputIds }, variants[name]));
      if (round === 0) continue;
      wall[name].push(wallMs);
      cpu[name].push(cpuMs);
    }
  }
  const ratio = (name) => median(cpu[name].map((ms, i) => ms / cpu.bare[i])).toFixed(3);
  const row = (name) =>
    `${name} ${median(wall[name]).toFixed(1)} ms wall, ${median(cpu[name]).toFixed(1)} ms CPU (×${ratio(name)})`;
  console.log(`T = ${tokens}: ${names.map(row).join("; ")}`);
}
await model.dispose();
