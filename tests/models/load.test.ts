import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { load } from "../../kernel/lib/index.js";
import type { LoadOptions, Model } from "../../kernel/lib/index.js";
import { oracles } from "./oracle.js";

let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "models-"));
  folder = join(root, "tiny-bert");
  mkdirSync(folder);
  for (const name of ["config.json", "model.safetensors"])
    cpSync(join(oracles, "models/bert", name), join(folder, name));
});

afterEach(() => {
  rmSync(root, { recursive: true });
  vi.unstubAllEnvs();
});

function editConfig(over: Readonly<Record<string, unknown>>): void {
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), ...over }));
}

/** Rewrites the header of the weights; the data keeps its place. */
function editHeader(edit: (header: Record<string, unknown>) => unknown): void {
  const path = join(folder, "model.safetensors");
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = Buffer.from(
    JSON.stringify(edit(JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<string, unknown>)),
  );
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([prefix, header, bytes.subarray(8 + length)]));
}

async function works(model: Model): Promise<void> {
  const run = await model.run({ inputIds: [[1, 2, 3]] });
  expect(run.at("blocks.0.attn.pattern").shape).toEqual([1, 4, 3, 3]);
  await model.dispose();
}

describe("load finds a model", () => {
  it("in a folder", async () => works(await load(folder)));

  it("by name below ATTENTION_LAB_MODELS", async () => {
    vi.stubEnv("ATTENTION_LAB_MODELS", `${join(root, "nowhere")}:${root}`);
    await works(await load("tiny-bert"));
  });

  it("by hub id in the shared Hugging Face cache, through its links", async () => {
    const repository = join(root, "cache/hub/models--org--tiny");
    const snapshot = join(repository, "snapshots/abc");
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(repository, "refs"));
    mkdirSync(join(repository, "blobs"));
    writeFileSync(join(repository, "refs/main"), "abc\n");
    for (const name of ["config.json", "model.safetensors"]) {
      cpSync(join(folder, name), join(repository, "blobs", `hash-of-${name}`));
      symlinkSync(join("../../blobs", `hash-of-${name}`), join(snapshot, name));
    }
    vi.stubEnv("HF_HOME", join(root, "cache"));
    vi.stubEnv("HF_HUB_CACHE", "");
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    await works(await load("org/tiny"));
    await expect(load("org/tiny", { revision: "other" })).rejects.toThrow(
      '"org/tiny" (other) is neither a folder nor in',
    );
  });

  it("in several shards", async () => {
    const header = Object.keys(headerOf());
    cpSync(join(folder, "model.safetensors"), join(folder, "model-00001-of-00001.safetensors"));
    rmSync(join(folder, "model.safetensors"));
    const map = Object.fromEntries(header.map((name) => [name, "model-00001-of-00001.safetensors"]));
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
    await works(await load(folder));
    const away = Object.fromEntries(header.map((name) => [name, "../tiny-bert/model.safetensors"]));
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: away }));
    await expect(load(folder)).rejects.toThrow("expected a file name of a shard");
  });

  it("with tensor names as older versions wrote them, buffers and heads that are not used", async () => {
    editHeader((header) => {
      const renamed = Object.entries(header).map(([name, entry]) => [
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
        entry,
      ]);
      const { "cls.predictions.bias": bias, ...rest } = Object.fromEntries(renamed) as Record<string, object>;
      return {
        ...rest,
        "cls.predictions.decoder.bias": { ...bias, data_offsets: bias && offsetsAtEnd(bias) },
        "cls.predictions.bias": bias,
      };
    });
    const padding = Buffer.alloc(97 * 4);
    writeFileSync(
      join(folder, "model.safetensors"),
      Buffer.concat([readFileSync(join(folder, "model.safetensors")), padding]),
    );
    await works(await load(folder));
  });
});

function headerOf(): Record<string, { readonly data_offsets: readonly [number, number] }> {
  const bytes = readFileSync(join(folder, "model.safetensors"));
  const { __metadata__: _, ...tensors } = JSON.parse(
    bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE(0))),
  ) as Record<string, { readonly data_offsets: readonly [number, number] }>;
  return tensors;
}

function offsetsAtEnd(_: object): readonly [number, number] {
  const end = Math.max(...Object.values(headerOf()).map(({ data_offsets: [, last] }) => last));
  return [end, end + 97 * 4];
}

describe("load refuses, with the reason", () => {
  const refusal = async (source: unknown = folder, options?: LoadOptions): Promise<string> => {
    const failure: unknown = await load(source as string, options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    return `${(failure as Error).name}: ${(failure as Error).message}`;
  };

  it("a folder that is not there, naming the nearest", async () => {
    expect(await refusal(join(root, "tiny-brt"))).toMatch(
      /^FormatError: load: no folder .*; did you mean "tiny-bert"\?/,
    );
  });

  it("a source that is no name", async () => {
    expect(await refusal(7)).toBe("OptionError: load: expected a folder or a hub id, got number");
    expect(await refusal(" ")).toBe("OptionError: load: expected a folder or a hub id, got an empty name");
  });

  it("a file", async () => {
    expect(await refusal(join(folder, "config.json"))).toContain(
      "expected a folder in Hugging Face layout or an .onnx file, got the file",
    );
  });

  it("an unknown option, device or dtype", async () => {
    expect(await refusal(folder, { devise: "cpu" } as LoadOptions)).toContain(
      'unknown option "devise"; did you mean "device"?',
    );
    expect(await refusal(folder, { device: "gpu" })).toContain('unknown device "gpu"; did you mean "cpu"?');
    expect(await refusal(folder, { device: "coreml", dtype: "float46" as "float16" })).toContain(
      'unknown dtype "float46"; did you mean "float16"?',
    );
  });

  it("an unknown architecture, listing the known ones", async () => {
    editConfig({ architectures: ["BertForMaskedML"] });
    expect(await refusal()).toMatch(
      /unknown architecture "BertForMaskedML"; did you mean "BertForMaskedLM"\?; known: .*DistilBertModel/,
    );
  });

  it("a config attribute that nothing handles, or a value of one", async () => {
    editConfig({ rope_scaling: { type: "yarn" } });
    expect(await refusal()).toContain(
      'bert: config attribute "rope_scaling" = {"type":"yarn"} is not handled; remove it or add it to families/bert.ts',
    );
    editConfig({ rope_scaling: undefined, position_embedding_type: "relative_key" });
    expect(await refusal()).toContain('"position_embedding_type" = "relative_key" is not handled; expected "absolute"');
    editConfig({ position_embedding_type: undefined, num_attention_heads: 5 });
    expect(await refusal()).toContain("hidden_size must be a multiple of num_attention_heads, got 48 and 5");
  });

  it("a config that is no JSON, or missing", async () => {
    writeFileSync(join(folder, "config.json"), "{");
    expect(await refusal()).toContain("not JSON");
    rmSync(join(folder, "config.json"));
    expect(await refusal()).toContain("no config.json");
  });

  it("truncated weights", async () => {
    truncateSync(join(folder, "model.safetensors"), 100_000);
    expect(await refusal()).toMatch(/^FormatError: safetensors .* spans bytes \d+…\d+ but the file holds 0…\d+/);
  });

  it("weights that the config does not ask for, lacks or sizes differently", async () => {
    editConfig({ num_hidden_layers: 2 });
    expect(await refusal()).toContain(
      "holds tensors that BertForMaskedLM does not use: bert.encoder.layer.2.attention",
    );
    editConfig({ num_hidden_layers: 4 });
    expect(await refusal()).toContain(
      "lacks tensors that config.json asks for: encoder.layer.3.attention.self.query.weight",
    );
    editConfig({ num_hidden_layers: 3, vocab_size: 98 });
    expect(await refusal()).toContain("but config.json asks for [98");
  });

  it("weights of an element type that no model computes with", async () => {
    editHeader((header) => ({
      ...header,
      "bert.embeddings.LayerNorm.bias": { ...(header["bert.embeddings.LayerNorm.bias"] as object), dtype: "U32" },
    }));
    expect(await refusal()).toContain(
      '"bert.embeddings.LayerNorm.bias" is stored as U32; expected F32, F16, BF16 or F64',
    );
  });

  it("a folder without safetensors, naming what it found", async () => {
    rmSync(join(folder, "model.safetensors"));
    writeFileSync(join(folder, "pytorch_model.bin"), "");
    expect(await refusal()).toContain(
      "expected model.safetensors or model.safetensors.index.json, got pytorch_model.bin",
    );
  });

  it("a tokenizer that cannot be read", async () => {
    writeFileSync(join(folder, "tokenizer.json"), "{}");
    expect(await refusal()).toContain("the tokenizer cannot be read");
    rmSync(join(folder, "tokenizer.json"));
    writeFileSync(join(folder, "vocab.txt"), "[PAD]\n[UNK]\n");
    expect(await refusal()).toContain('cls_token "[CLS]" is not in the vocabulary');
  });
});
