// Tokens per second with and without the key-value cache, on random weights of GPT-2's smallest size (0.5 GB on disk).
//   node tests/bench/generate.bench.mjs [prompt length] [new tokens]
import { Buffer } from "node:buffer";
import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync, closeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { load } from "../../kernel/lib/index.js";
import { families } from "../../kernel/lib/models/index.js";

const promptLength = Number(process.argv[2] ?? 128);
const maxNewTokens = Number(process.argv[3] ?? 32);
const folder = mkdtempSync(join(tmpdir(), "attention-lab-bench-"));
const config = { architectures: ["GPT2LMHeadModel"], model_type: "gpt2" };

function writeCheckpoint() {
  const { tensors } = families.find(({ name }) => name === "gpt2").open("GPT2LMHeadModel", config);
  const header = {};
  let at = 0;
  for (const { name, shape } of tensors) {
    const bytes = shape.reduce((a, b) => a * b) * 4;
    header[name] = { dtype: "F32", shape, data_offsets: [at, (at += bytes)] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, Buffer.concat([size, text]));
  let state = 1;
  for (const { name, shape } of tensors) {
    const isNorm = /ln_.*weight$/.test(name);
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      data[i] = (isNorm ? 1 : 0) + (state / 2 ** 32 - 0.5) * 0.1;
    }
    writeSync(file, new Uint8Array(data.buffer));
  }
  closeSync(file);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
}

try {
  writeCheckpoint();
  const model = await load(folder);
  const inputIds = [Array.from({ length: promptLength }, (_, i) => (i * 37) % 50000)];
  for (const cache of [true, false]) await model.generate({ inputIds }, { maxNewTokens: 1, cache });
  for (let round = 0; round < 3; round++) {
    for (const cache of [true, false]) {
      const times = [performance.now()];
      await model.generate({ inputIds }, { maxNewTokens, cache, onToken: () => times.push(performance.now()) });
      const [start, first, last] = [times[0], times[1], times.at(-1)];
      const perSecond = ((times.length - 2) / (last - first)) * 1000;
      const prompt = `the prompt ${(first - start).toFixed(0)} ms`;
      console.log(`${cache ? "with" : "without"} cache: ${perSecond.toFixed(1)} tokens/s after ${prompt}`);
    }
  }
  await model.dispose();
} finally {
  rmSync(folder, { recursive: true });
}
