// What the way to the engine and back adds to a run: a 1 MB tensor there and back, against the time of the run itself.
//   node tests/bench/roundTrip.bench.mjs [megabytes]
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { compile, graph, random } from "../../kernel/lib/index.js";

const ort = createRequire(new URL("../../kernel/package.json", import.meta.url))("onnxruntime-node");
const length = Math.round((Number(process.argv[2] ?? 1) * 1e6) / 4);
const { build, encodeOnnx, input, programOf } = graph;
const outputs = { y: build.add(input("x", "float32", ["n"]), 1) };
const x = random(1).normal([length]);
const sorted = (values) => values.toSorted((a, b) => a - b);
const median = (values) => sorted(values)[values.length >> 1];

const compiled = await compile(outputs);
const session = await ort.InferenceSession.create(encodeOnnx(programOf(outputs)).bytes, { logSeverityLevel: 4 });
const timed = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
const [there, bare] = [[], []];
for (let round = 0; round < 210; round++) {
  const engineMs = await timed(() => compiled.run({ x }));
  const bareMs = await timed(() => session.run({ x: new ort.Tensor("float32", x.data, x.shape) }));
  if (round < 10) continue;
  there.push(engineMs);
  bare.push(bareMs);
}
const row = (name, of) => {
  const [engineMs, bareMs] = [there, bare].map((values) => of(values));
  return `${name}: ${engineMs.toFixed(2)} ms, onnxruntime alone ${bareMs.toFixed(2)} ms, added ${(engineMs - bareMs).toFixed(2)} ms`;
};
console.log(`${((length * 4) / 1e6).toFixed(1)} MB there and back, 200 pairs`);
console.log(row("median", median));
console.log(row("best", (values) => sorted(values)[0]));
await compiled.dispose();
