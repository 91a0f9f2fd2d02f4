// Sinks, entropies and distances of a long prompt in memory that grows with its length, not with its square.
//   node tests/bench/longContext.bench.mjs [tokens …]            (Linux, for the memory figures; default 1024 4096)
//   MODELS=llamaLayer SIDES=sinks node tests/bench/longContext.bench.mjs 16384     one of them: minutes, on two cores
// Sides: `sinks` is the analysis as it is called, residual stream and all; `blocks` is a run with four probes; `sampled` is
// `sinks` with the first turns of each loop alone, whose results stand for those of the rest: its memory, in minutes.
// Two models of random weights: GPT-2 small's shape with 32 768 positions, and one layer of Llama 3 8B's shape. Each run
// has a process of its own, whose peak holds the weights that the run reads;
// up to 2048 tokens also with every pattern formed as a whole.
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { performance } from "node:perf_hooks";
import { load, probes, sinks } from "../../kernel/lib/index.js";
import { panelsMime } from "../../kernel/lib/views/index.js";
import { firstTurnsOnly } from "./firstTurns.mjs";

const positions = 32768;

const models = {
  gpt2: {
    config: {
      ...{ architectures: ["GPT2LMHeadModel"], model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12 },
      ...{ n_positions: positions, vocab_size: 50257 },
    },
    tensors: () => {
      const layer = (l) => [
        [`h.${l}.ln_1.weight`, [768], 1],
        [`h.${l}.ln_1.bias`, [768], 0],
        [`h.${l}.attn.c_attn.weight`, [768, 2304]],
        [`h.${l}.attn.c_attn.bias`, [2304], 0],
        [`h.${l}.attn.c_proj.weight`, [768, 768]],
        [`h.${l}.attn.c_proj.bias`, [768], 0],
        [`h.${l}.ln_2.weight`, [768], 1],
        [`h.${l}.ln_2.bias`, [768], 0],
        [`h.${l}.mlp.c_fc.weight`, [768, 3072]],
        [`h.${l}.mlp.c_fc.bias`, [3072], 0],
        [`h.${l}.mlp.c_proj.weight`, [3072, 768]],
        [`h.${l}.mlp.c_proj.bias`, [768], 0],
      ];
      const layers = Array.from({ length: 12 }, (_, l) => layer(l)).flat();
      const ends = [
        ["ln_f.weight", [768], 1],
        ["ln_f.bias", [768], 0],
      ];
      return [["wte.weight", [50257, 768]], ["wpe.weight", [positions, 768]], ...layers, ...ends];
    },
  },
  llamaLayer: {
    config: {
      ...{ architectures: ["LlamaForCausalLM"], model_type: "llama", hidden_size: 4096, intermediate_size: 14336 },
      ...{ num_hidden_layers: 1, num_attention_heads: 32, num_key_value_heads: 8, rope_theta: 500000 },
      ...{ max_position_embeddings: positions, vocab_size: 1024, rms_norm_eps: 1e-5, tie_word_embeddings: true },
    },
    tensors: () => [
      ["model.embed_tokens.weight", [1024, 4096]],
      ["model.layers.0.input_layernorm.weight", [4096], 1],
      ["model.layers.0.self_attn.q_proj.weight", [4096, 4096]],
      ["model.layers.0.self_attn.k_proj.weight", [1024, 4096]],
      ["model.layers.0.self_attn.v_proj.weight", [1024, 4096]],
      ["model.layers.0.self_attn.o_proj.weight", [4096, 4096]],
      ["model.layers.0.post_attention_layernorm.weight", [4096], 1],
      ["model.layers.0.mlp.gate_proj.weight", [14336, 4096]],
      ["model.layers.0.mlp.up_proj.weight", [14336, 4096]],
      ["model.layers.0.mlp.down_proj.weight", [4096, 14336]],
      ["model.norm.weight", [4096], 1],
    ],
  },
};

const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

/** Random weights, the same at every call: xorshift, uniform with a standard deviation of 0.03. */
function writeModel(folder, { config, tensors }) {
  let offset = 0;
  const entries = tensors().map(([name, shape, value]) => {
    const start = offset;
    offset += 4 * sizeOf(shape);
    return { name, shape, value, start, end: offset };
  });
  const header = Object.fromEntries(
    entries.map(({ name, shape, start, end }) => [name, { dtype: "F32", shape, data_offsets: [start, end] }]),
  );
  const text = Buffer.from(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(32);
  padded.set(text);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, new Uint8Array(new BigUint64Array([BigInt(padded.length)]).buffer));
  writeSync(file, padded);
  let state = 1;
  for (const { shape, value } of entries) {
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      data[i] = value ?? (state / 2 ** 31) * 0.05;
    }
    writeSync(file, new Uint8Array(data.buffer));
  }
  closeSync(file);
}

const statusBytes = (key) =>
  Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`${key}:\\s+(\\d+)`))[1]) * 1024;
const inMB = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

/** Tells how far a run is and what it has taken until then, at every tenth of it. */
function teller(start) {
  let told = 0;
  return (share) => {
    if (share < told + 0.1) return;
    told = Math.floor(share * 10) / 10;
    const { user, system } = process.cpuUsage(start);
    const figures = `${inMB(statusBytes("VmRSS"))} now, peak ${inMB(statusBytes("VmHWM"))}, ${((user + system) / 1e6).toFixed(0)} s of CPU`;
    console.error(`    ${(100 * share).toFixed(0)} %: ${figures}`);
  };
}

/** One run in this process; prints its figures. */
async function measure(folder, tokens, side) {
  const model = await load(folder);
  const inputIds = [Array.from({ length: tokens }, (_, t) => (t * 7919) % 1024)];
  const start = performance.now();
  const cpu = process.cpuUsage();
  const isSampled = side === "sampled";
  const measured = isSampled ? firstTurnsOnly(model, 1) : model;
  const mass =
    isSampled || side === "sinks" ? await sinkMass(measured, inputIds, cpu) : await probedMass(model, inputIds, side);
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  // Each query pays 1 in all: Σ_k α_k · (number of queries that see k) = T.
  const paid = mass.reduce((sum, alpha, k) => sum + alpha * (tokens - k), 0);
  if (!isSampled && Math.abs(paid / tokens - 1) > 1e-4)
    throw new Error(`attention of head 0 sums to ${paid} over ${tokens} queries`);
  console.log(JSON.stringify({ peak: statusBytes("VmHWM"), seconds, cpu: (user + system) / 1e6 }));
}

/** What each key receives in head 0 of layer 0, after the whole analysis and its figure. */
async function sinkMass(model, inputIds, cpu) {
  const report = await sinks(model, { inputIds }, { onProgress: teller(cpu) });
  const payload = JSON.stringify(report[Symbol.for("Jupyter.display")]()[panelsMime]).length;
  if (payload > 1e6) throw new Error(`the figure of the report takes ${payload} bytes`);
  const [{ received, residualNorms }] = report.samples;
  if (!residualNorms.flat().every(Number.isFinite)) throw new Error("norms must be finite numbers");
  return received.slice(0, 0).numbers();
}

async function probedMass(model, inputIds, side) {
  const [tokens] = inputIds.map(({ length }) => length);
  const run = await model.run(
    { inputIds },
    {
      ...{ patterns: false, outputs: false },
      probes: [probes.massPerKey(), probes.rowEntropy(), probes.columnEntropy(), probes.distance()],
      ...(side === "whole" ? { queriesPerBlock: Infinity } : tokens <= 2048 ? { queriesPerBlock: 64 } : {}),
    },
  );
  return run.probe("massPerKey").slice(0, 0, 0).numbers();
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--child") {
  await measure(rest[0], Number(rest[1]), rest[2]);
} else {
  const names = process.env["MODELS"]?.split(",") ?? Object.keys(models);
  const lengths = first === undefined ? [1024, 4096] : [first, ...rest].map(Number);
  for (const name of names) {
    const folder = mkdtempSync(join(tmpdir(), "attention-lab-bench-"));
    try {
      writeModel(folder, models[name]);
      const weights = statSync(join(folder, "model.safetensors")).size;
      console.log(`${name}: ${(weights / 1e6).toFixed(0)} MB of weights`);
      for (const tokens of lengths) {
        const usual = tokens <= 2048 ? ["whole", "blocks", "sinks"] : ["blocks", "sinks"];
        for (const side of process.env["SIDES"]?.split(",") ?? usual) {
          const args = [fileURLToPath(import.meta.url), "--child", folder, String(tokens), side];
          const child = spawnSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
          if (child.status !== 0) throw new Error(`${name} at ${tokens} tokens, ${side}: exit ${child.status}`);
          const { peak, seconds, cpu } = JSON.parse(child.stdout.trim().split("\n").at(-1));
          const memory = `peak of the whole process ${inMB(peak)}, ${inMB(peak - weights)} beyond all weights`;
          console.log(`  T = ${tokens}, ${side}: ${memory}, ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of CPU)`);
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
