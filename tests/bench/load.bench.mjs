// Loads random linear layers, stored [out,in] as checkpoints store them, from a file of 1.2 GB: speed and peak memory.
//   node tests/bench/load.bench.mjs [layers]          (Linux, for the memory figures)
import { mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { build, input, weight } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { Tensor } from "../../kernel/lib/tensor/index.js";

const width = 4096;
const layers = Number(process.argv[2] ?? 18);
const sizeBytes = width * width * 4;
const folder = mkdtempSync(join(tmpdir(), "attention-lab-bench-"));
const path = join(folder, "weights.bin");
const resident = () => {
  const status = readFileSync("/proc/self/status", "utf8");
  return Object.fromEntries(["VmHWM", "VmRSS"].map((key) => [key, status.match(`${key}:\\s+(\\d+)`)[1] * 1024]));
};

try {
  const file = openSync(path, "w");
  const block = Float32Array.from({ length: width * width }, (_, i) => Math.sin(i * 0.7) * 0.02);
  for (let layer = 0; layer < layers; layer++) {
    // Equal weights would be kept once.
    block[0] = layer;
    writeSync(file, new Uint8Array(block.buffer));
  }
  const x = input("x", "float32", ["token", width]);
  const place = { path, sizeBytes, storage: "float32", version: "bench" };
  const y = Array.from({ length: layers }, (_, i) =>
    weight("float32", [width, width], { ...place, name: `w${i}`, offset: i * sizeBytes }),
  ).reduce((h, w) => build.tanh(build.matMul(h, build.transpose(w, [1, 0]))), x);

  const engine = new OrtEngine("cpu");
  const one = new Tensor("float32", [1, width], new Float32Array(width).fill(0.1));
  for (let round = 0; round < 3; round++) {
    const before = resident();
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    const compiled = await engine.compile({ y });
    const seconds = (performance.now() - start) / 1e3;
    const { user, system } = process.cpuUsage(cpu);
    await compiled.run({ x: one });
    const bytes = layers * sizeBytes;
    const peak = (resident().VmHWM - before.VmRSS) / bytes;
    await compiled.dispose();
    const figures = `${(bytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(2)} s = ${(bytes / 1e9 / seconds).toFixed(2)} GB/s`;
    console.log(`${figures} (${((user + system) / 1e6).toFixed(2)} s CPU); peak memory ${peak.toFixed(2)} × weights`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
