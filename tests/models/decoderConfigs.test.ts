import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Tensor } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { rotaryOf } from "../../kernel/lib/models/rotary.js";
import { decoders, maxAbsDiff, oracles } from "./oracle.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "decoders-"));
});
afterEach(() => rmSync(root, { recursive: true }));

interface Edits {
  readonly config?: Readonly<Record<string, unknown>>;
  /** New names of tensors; undefined takes one out. */
  readonly rename?: (name: string) => string | undefined;
  readonly add?: Readonly<Record<string, { readonly like: string; readonly name: string }>>;
  readonly generation?: Readonly<Record<string, unknown>> | null;
}

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** A copy of an oracle's model with changes; the tensors that stay keep their bytes. */
function variant(name: string, { config = {}, rename = (same) => same, add = {}, generation }: Edits): string {
  const folder = join(root, name);
  cpSync(join(oracles, "models", name), folder, { recursive: true });
  const configPath = join(folder, "config.json");
  writeFileSync(configPath, JSON.stringify({ ...(JSON.parse(readFileSync(configPath, "utf8")) as object), ...config }));
  const weights = join(folder, "model.safetensors");
  const bytes = readFileSync(weights);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Header;
  const out: Header = {};
  const parts: Buffer[] = [];
  let at = 0;
  const put = (own: string, from: string): void => {
    const { dtype, shape, data_offsets: span } = header[from];
    const part = bytes.subarray(start + span[0], start + span[1]);
    out[own] = { dtype, shape, data_offsets: [at, at + part.length] };
    at += part.length;
    parts.push(part);
  };
  for (const from of Object.keys(header).filter((key) => key !== "__metadata__")) {
    const own = rename(from);
    if (own !== undefined) put(own, from);
  }
  for (const { like, name: own } of Object.values(add)) put(own, like);
  const text = Buffer.from(JSON.stringify(out));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(weights, Buffer.concat([prefix, text, ...parts]));
  const generationPath = join(folder, "generation_config.json");
  if (generation === null) rmSync(generationPath);
  else if (generation) writeFileSync(generationPath, JSON.stringify(generation));
  return folder;
}

const input = { inputIds: [[7, 8, 9, 10, 11, 12, 13, 14, 15, 16]] };

async function outputOf(folder: string, output = "logits"): Promise<Tensor> {
  const model = await load(folder);
  const run = await model.run(input);
  await model.dispose();
  return run.at(output);
}

describe("checkpoints as they are found", () => {
  it("of GPT-2 without prefix and with its old buffers compute the same", async () => {
    const folder = variant("gpt2", {
      rename: (name) => name.replace(/^transformer\./, ""),
      add: { mask: { like: "transformer.h.0.ln_1.bias", name: "h.0.attn.bias" } },
    });
    expect(maxAbsDiff(await outputOf(folder), await outputOf(join(oracles, "models/gpt2")))).toBe(0);
  });

  it("with a second copy of a tied unembedding compute the same", async () => {
    const folder = variant("qwen2", { add: { head: { like: "model.embed_tokens.weight", name: "lm_head.weight" } } });
    expect(maxAbsDiff(await outputOf(folder), await outputOf(join(oracles, "models/qwen2")))).toBe(0);
  });

  it.each([
    ["gpt2", "GPT2Model", /^transformer\./],
    ["mistral", "MistralModel", /^model\./],
    ["gpt_neox", "GPTNeoXModel", /^gpt_neox\./],
    ["opt", "OPTModel", /^model\./],
  ])("of %s without a head give its last hidden state alone", async (name, architecture, prefix) => {
    const config = { architectures: [architecture] };
    const folder = variant(name, {
      config,
      rename: (tensor) => (/^(lm_head|embed_out)\./.test(tensor) ? undefined : tensor.replace(prefix, "")),
    });
    const hidden = await outputOf(folder, "last_hidden_state");
    expect(maxAbsDiff(hidden, await outputOf(join(oracles, "models", name), "last_hidden_state"))).toBe(0);
    const model = await load(folder);
    await expect(model.generate(input, { maxNewTokens: 1 })).rejects.toThrow(/does not predict next tokens/);
    const run = await model.run(input);
    expect(() => run.logits).toThrow(/no prediction head/);
    expect(run.loss).toBeUndefined();
    await model.dispose();
  });

  it("that lack a tensor are refused", async () => {
    const folder = variant("llama_rope3", { rename: (name) => (name === "model.norm.weight" ? undefined : name) });
    await expect(load(folder)).rejects.toThrow(/lacks tensors that config\.json asks for: norm\.weight/);
  });
});

describe("a window", () => {
  it("may be as long as the text, which is no window", async () => {
    const wide = variant("mistral", { config: { sliding_window: 10 } });
    const none = variant("mistral", { config: { sliding_window: null } });
    expect(maxAbsDiff(await outputOf(wide), await outputOf(none))).toBe(0);
    expect(maxAbsDiff(await outputOf(join(oracles, "models/mistral")), await outputOf(none))).toBeGreaterThan(1e-3);
  });

  it("of 5 shows a query itself and four keys before it", async () => {
    const pattern = await outputOf(join(oracles, "models/mistral"), "blocks.1.attn.pattern");
    const seen = Array.from(pattern.slice(0, 0, 8).numbers(), (share) => share > 0);
    expect(seen).toEqual([false, false, false, false, true, true, true, true, true, false]);
  });

  it("of Qwen2 begins at max_window_layers, where it is used at all", async () => {
    const config = { use_sliding_window: true, sliding_window: 3, max_window_layers: 2 };
    const model = await load(variant("qwen2", { config: { ...config, layer_types: null } }));
    const run = await model.run(input);
    const keys = [0, 1, 2].map(
      (layer) =>
        run
          .at(`blocks.${layer}.attn.pattern`)
          .slice(0, 0, 9)
          .numbers()
          .filter((share) => share > 0).length,
    );
    expect(keys).toEqual([10, 10, 3]);
    await model.dispose();
  });
});

describe("rotary positions", () => {
  const config = { rope_theta: 10000, rope_scaling: null, rope_parameters: null, max_position_embeddings: 64 };

  it("turn by θ^(−2i/d), and slower by a linear factor", () => {
    const plain = rotaryOf("llama", config, 8);
    expect(Array.from(plain.frequencies)).toEqual([1, 0.1, 0.01, 0.001].map(Math.fround));
    const slow = rotaryOf("llama", { ...config, rope_scaling: { type: "linear", factor: 4 } }, 8);
    expect(Array.from(slow.frequencies)).toEqual([0.25, 0.025, 0.0025, 0.00025].map(Math.fround));
  });

  it("of Phi-3 have their scaling under three names", async () => {
    const { rope_parameters: scaling } = JSON.parse(
      readFileSync(join(oracles, "models/phi3_long/config.json"), "utf8"),
    ) as { rope_parameters: object };
    const logits = await outputOf(join(oracles, "models/phi3_long"));
    for (const rope_type of ["su", "yarn"]) {
      const folder = variant("phi3_long", {
        config: { rope_scaling: { ...scaling, rope_type }, rope_parameters: null },
      });
      expect(maxAbsDiff(await outputOf(folder), logits)).toBe(0);
      rmSync(folder, { recursive: true });
    }
  });

  it("of a longer text than the config's are allowed where the scaling grows with the text", async () => {
    const rope_parameters = { rope_type: "dynamic", rope_theta: 100, factor: 4 };
    const model = await load(variant("llama_rope3", { config: { rope_parameters, max_position_embeddings: 6 } }));
    expect(model.positions).toBe(24);
    const [short, long] = [
      (await model.run({ inputIds: [input.inputIds[0].slice(0, 6)] })).logits,
      (await model.run(input)).logits,
    ];
    // Beyond six tokens every angle changes: the first tokens no longer read the same.
    expect(maxAbsDiff(short.slice(0, 5), long.slice(0, 5))).toBeGreaterThan(1e-3);
    await model.dispose();
  });
});

describe("configs that cannot be followed exactly are refused", () => {
  it.each(decoders.map((name) => [name]))("an attribute that %s does not know, with the file to edit", async (name) => {
    const folder = variant(name, { config: { novel_attribute: 1 } });
    const { message } = (await load(folder).then(
      () => new Error("loaded"),
      (error: unknown) => error,
    )) as Error;
    const [, file] = /"novel_attribute" = 1 is not handled; remove it or add it to (families\/\w+\.ts)/.exec(message)!;
    expect(existsSync(join(oracles, "../../kernel/models", file))).toBe(true);
  });

  it.each([
    ["gpt2", { add_cross_attention: true }, /"add_cross_attention" = true is not handled/],
    ["gpt2", { activation_function: "mish" }, /"activation_function" = "mish" is not handled/],
    ["gpt_neo", { attention_types: [[["global"], 2]] }, /attention_types must name 3 layers, got 2/],
    ["gpt_neo", { attention_types: [[["sparse"], 3]] }, /"attention_types" = .* is not handled; expected runs/],
    ["gpt_neox", { novel: 1 }, /"novel" = 1 is not handled; remove it or add it to families\/gptNeoX\.ts/],
    ["llama_rope3", { num_key_value_heads: 3 }, /must be a multiple of num_key_value_heads, got 4 and 3/],
    ["qwen3", { layer_types: ["full_attention"] }, /layer_types must have 3 entries, got 1/],
    ["gemma2", { use_bidirectional_attention: true }, /"use_bidirectional_attention" = true is not handled/],
    ["opt", { do_layer_norm_before: false }, /"do_layer_norm_before" = false is not handled/],
    ["opt", { word_embed_proj_dim: 24 }, /word_embed_proj_dim = 24 is not handled; expected hidden_size 48/],
    ["bloom", { apply_residual_connection_post_layernorm: true }, /"apply_residual_connection_post_layernorm" = true/],
    ["falcon", { num_ln_in_parallel_attn: 2 }, /num_ln_in_parallel_attn = 2 is not handled/],
    ["falcon_new", { num_kv_heads: 3 }, /must divide each other, got 32, 4 and 3/],
    ["falcon_new", { parallel_attn: false }, /new_decoder_architecture = true with parallel_attn = false/],
    ["mixtral", { num_experts_per_tok: 5 }, /num_experts_per_tok must be at most num_local_experts, got 5 and 4/],
    ["gemma", { hidden_activation: "relu" }, /"hidden_activation" = "relu" is not handled/],
    ["gemma3", { attn_logit_softcapping: 50 }, /"attn_logit_softcapping" = 50 is not handled/],
    ["gemma3", { rope_parameters: { everywhere: {} } }, /"everywhere" of rope_parameters is not handled/],
    ["phi", { num_key_value_heads: 3 }, /must divide each other, got 32, 4 and 3/],
  ])("%s with %j", async (name, config, message) => {
    await expect(load(variant(name, { config }))).rejects.toThrow(message);
  });
});

describe("a text ends", () => {
  const first = async (folder: string): Promise<readonly number[]> => {
    const model = await load(folder);
    const { ids } = await model.generate(input, { maxNewTokens: 3 });
    await model.dispose();
    return ids[0];
  };

  it("at the tokens of generation_config.json, else at those of the config", async () => {
    const plain = await first(join(oracles, "models/llama_rope3"));
    expect(plain.length).toBe(3);
    const [end] = plain;
    expect(await first(variant("llama_rope3", { generation: { eos_token_id: [96, end] } }))).toEqual([end]);
    rmSync(join(root, "llama_rope3"), { recursive: true });
    expect(await first(variant("llama_rope3", { config: { eos_token_id: end }, generation: null }))).toEqual([end]);
    rmSync(join(root, "llama_rope3"), { recursive: true });
    expect(await first(variant("llama_rope3", { config: { eos_token_id: end } }))).toEqual(plain);
  });
});
