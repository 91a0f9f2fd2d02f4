// One side of loading.bench.mjs: seconds, and bytes of memory above those before the load, at the peak.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { load } from "../../../kernel/lib/index.js";

const kilobytes = (key) => Number(readFileSync("/proc/self/status", "utf8").match(`${key}:\\s+(\\d+)`)[1]);
const before = kilobytes("VmRSS");
const start = performance.now();
const model = await load(process.argv[2]);
const loaded = (performance.now() - start) / 1e3;
const run = await model.run({ inputIds: [[1, 2, 3, 4]] }, { patterns: false });
const ran = (performance.now() - start) / 1e3;
const logit = run.logits.item(0, 3, 5);
console.log(JSON.stringify({ loaded, ran, peak: (kilobytes("VmHWM") - before) * 1024, logit }));
await model.dispose();
process.exit(0);
