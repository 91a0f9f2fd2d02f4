// Loads a Llama with 1.2 GB of random float32 weights from a folder, here and with PyTorch's from_pretrained: time until it is
// loaded, time until the first run is done, peak resident memory. Each side in a process of its own, in turns.
//   node tests/bench/loading.bench.mjs [--python <interpreter with torch and transformers>] [--rounds 3]          (Linux)
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values: options } = parseArgs({
  options: {
    python: { type: "string", default: join(here, "..", "..", ".venv", "bin", "python") },
    rounds: { type: "string", default: "3" },
  },
});

const [width, inner, vocabulary, layers, heads] = [2048, 5632, 8192, 5, 16];
const config = {
  ...{ architectures: ["LlamaForCausalLM"], model_type: "llama", torch_dtype: "float32", tie_word_embeddings: false },
  ...{ hidden_size: width, intermediate_size: inner, vocab_size: vocabulary, num_hidden_layers: layers },
  ...{ num_attention_heads: heads, num_key_value_heads: heads, max_position_embeddings: 256, rms_norm_eps: 1e-6 },
};
const block = (i) => {
  const of = (name, ...shape) => [`model.layers.${i}.${name}.weight`, shape];
  return [
    ...["q", "k", "v", "o"].map((part) => of(`self_attn.${part}_proj`, width, width)),
    ...[of("mlp.gate_proj", inner, width), of("mlp.up_proj", inner, width), of("mlp.down_proj", width, inner)],
    ...[of("input_layernorm", width), of("post_attention_layernorm", width)],
  ];
};
const tensors = [
  ["model.embed_tokens.weight", [vocabulary, width]],
  ...Array.from({ length: layers }, (_, i) => block(i)).flat(),
  ["model.norm.weight", [width]],
  ["lm_head.weight", [vocabulary, width]],
];

/** Writes the model; returns the bytes of its weights. */
function write(folder) {
  let end = 0;
  const header = Object.fromEntries(
    tensors.map(([name, shape]) => {
      const start = end;
      end += 4 * shape.reduce((product, size) => product * size, 1);
      return [name, { dtype: "F32", shape, data_offsets: [start, end] }];
    }),
  );
  const text = JSON.stringify({ ...header, __metadata__: { format: "pt" } });
  const bytes = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, Buffer.concat([length, bytes]));
  const noise = Float32Array.from({ length: inner * width }, (_, i) => Math.sin(i * 0.7 + (i % 977)) * 0.02);
  for (const [i, [, shape]] of tensors.entries()) {
    noise[0] = i / 1000; // equal weights would be kept once
    const size = shape.reduce((product, dim) => product * dim, 1);
    for (let at = 0; at < size; at += noise.length) {
      writeSync(file, new Uint8Array(noise.buffer, 0, 4 * Math.min(noise.length, size - at)));
    }
  }
  closeSync(file);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return end;
}

const folder = mkdtempSync(join(tmpdir(), "attention-lab-loading-"));
try {
  const sizeBytes = write(folder);
  const sides = {
    "Attention Lab": [process.execPath, join(here, "loading", "ours.mjs")],
    from_pretrained: [options.python, join(here, "loading", "theirs.py")],
  };
  console.log(`${(sizeBytes / 1e9).toFixed(2)} GB of weights`);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, [program, script]] of Object.entries(sides)) {
      const { loaded, ran, peak, logit } = JSON.parse(execFileSync(program, [script, folder], { encoding: "utf8" }));
      const times = `loaded ${loaded.toFixed(2)} s, first run done ${ran.toFixed(2)} s`;
      console.log(
        `${name.padEnd(16)} ${times}, peak ${(peak / sizeBytes).toFixed(3)} × weights, logit ${logit.toFixed(4)}`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
