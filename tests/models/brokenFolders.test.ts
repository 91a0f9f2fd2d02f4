import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { load } from "../../kernel/lib/index.js";
import { readOracle } from "./oracle.js";

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "broken-"));
  cpSync((await readOracle("llama_rope3")).folder, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

type Json = Record<string, unknown>;

const path = (name: string): string => join(folder, name);

function edit(name: string, change: (json: Json) => unknown): void {
  writeFileSync(path(name), JSON.stringify(change(JSON.parse(readFileSync(path(name), "utf8")) as Json)));
}

/** The header of the weights, and what comes behind it. */
function weights(): { readonly header: Json; readonly data: Buffer } {
  const bytes = readFileSync(path("model.safetensors"));
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = JSON.parse(bytes.toString("utf8", 8, end)) as Json;
  return { header, data: bytes.subarray(end) };
}

function store(name: string, header: Json, data: Buffer): void {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path(name), Buffer.concat([length, text, data]));
}

/** The weights as two shards, of which the index may be changed. */
function shard(change: (map: Json) => unknown = (map) => map): void {
  const { header, data } = weights();
  const names = Object.keys(header);
  const half = Math.floor(names.length / 2);
  const storePart = (file: string, own: readonly string[]): void => {
    const part: Json = {};
    const bytes: Buffer[] = [];
    let at = 0;
    for (const name of own) {
      const entry = header[name] as { readonly data_offsets: readonly [number, number] };
      bytes.push(data.subarray(...entry.data_offsets));
      part[name] = { ...entry, data_offsets: [at, (at += bytes.at(-1)!.length)] };
    }
    store(file, part, Buffer.concat(bytes));
  };
  storePart("one.safetensors", names.slice(0, half));
  storePart("two.safetensors", names.slice(half));
  rmSync(path("model.safetensors"));
  const map = Object.fromEntries(names.map((name, i) => [name, i < half ? "one.safetensors" : "two.safetensors"]));
  writeFileSync(path("model.safetensors.index.json"), JSON.stringify({ weight_map: change(map) }));
}

function changeTensor(change: (entry: Json) => Json): void {
  const { header, data } = weights();
  const name = "model.layers.0.self_attn.q_proj.weight";
  store("model.safetensors", { ...header, [name]: change(header[name] as Json) }, data);
}

describe("a folder that is not whole", () => {
  it.each<[string, () => void, RegExp]>([
    [
      "a shard is missing",
      () => {
        shard();
        rmSync(path("two.safetensors"));
      },
      /^FormatError: load .*index\.json: names the shard "two\.safetensors", which is not in the folder; got one\.safetensors$/,
    ],
    [
      "no shard holds a tensor",
      () => shard((map) => ({ ...map, "model.extra.weight": "one.safetensors" })),
      /no shard holds tensor "model\.extra\.weight"/,
    ],
    ["the index lists no tensors", () => shard(() => null), /expected an object "weight_map"/],
    [
      "the index is cut off",
      () => {
        shard();
        writeFileSync(path("model.safetensors.index.json"), '{"weight_map": {');
      },
      /index\.json.*not JSON/,
    ],
    ["the weights are empty", () => writeFileSync(path("model.safetensors"), ""), /expected at least 8 bytes, got 0/],
    [
      "the weights are a pointer to them",
      () =>
        writeFileSync(path("model.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
      /is a pointer of git-lfs, not the file itself; expected the weights, as "git lfs pull" fetches them/,
    ],
    [
      "the header is no text",
      () => writeFileSync(path("model.safetensors"), Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0xff, 0xfe])),
      /the header is not (text|JSON)/,
    ],
    [
      "a dtype does not fit its bytes",
      () => changeTensor((entry) => ({ ...entry, dtype: "F16" })),
      /"model\.layers\.0\.self_attn\.q_proj\.weight" spans bytes \d+…\d+ but shape \[64,48\] of F16 needs 6144/,
    ],
    [
      "a dtype holds no real numbers",
      () => changeTensor((entry) => ({ ...entry, dtype: "I32" })),
      /is stored as I32; expected F32, F16, BF16 or F64/,
    ],
    [
      "a shape is turned round",
      () => changeTensor((entry) => ({ ...entry, shape: [48, 64] })),
      /has shape \[48,64\], but config\.json asks for \[64,48\]/,
    ],
    [
      "the config names more layers",
      () => edit("config.json", (json) => ({ ...json, num_hidden_layers: 4 })),
      /lacks tensors that config\.json asks for: .*layers\.3/,
    ],
    [
      "the config names fewer layers",
      () => edit("config.json", (json) => ({ ...json, num_hidden_layers: 2 })),
      /holds tensors that LlamaForCausalLM does not use: .*layers\.2/,
    ],
    [
      "the config is of another width",
      () => edit("config.json", (json) => ({ ...json, hidden_size: 64 })),
      /but config\.json asks for \[/,
    ],
    [
      "the config names heads as text",
      () => edit("config.json", (json) => ({ ...json, num_attention_heads: "4" })),
      /"num_attention_heads" = "4" is not handled; expected a whole number of at least 1/,
    ],
    [
      "groups do not divide the heads",
      () => edit("config.json", (json) => ({ ...json, num_key_value_heads: 3 })),
      /must be a multiple of num_key_value_heads, got 4 and 3/,
    ],
    [
      "the config has an attribute that nobody knows",
      () => edit("config.json", (json) => ({ ...json, attention_temperature: 2 })),
      /"attention_temperature" = 2 is not handled; remove it or add it to families\/llama\.ts/,
    ],
    [
      "the weights are quantised",
      () => edit("config.json", (json) => ({ ...json, quantization_config: { quant_method: "mxfp4" } })),
      /"quantization_config" = .* is not handled/,
    ],
    [
      "the config is a list",
      () => writeFileSync(path("config.json"), "[]"),
      /config\.json: expected a JSON object, got \[\]/,
    ],
    [
      "the generation config is broken",
      () => writeFileSync(path("generation_config.json"), "{"),
      /generation_config\.json.*not JSON/,
    ],
    [
      "an end token is no id",
      () => edit("generation_config.json", (json) => ({ ...json, eos_token_id: "</s>" })),
      /eos_token_id = "<\/s>"; expected token ids or null/,
    ],
    [
      "the tokenizer is of no known kind",
      () => writeFileSync(path("tokenizer.json"), '{"model": {"type": "Rune"}}'),
      /the tokenizer cannot be read/,
    ],
  ])("is refused with the reason: %s", async (_, damage, reason) => {
    damage();
    const failure: unknown = await load(folder).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(`${(failure as Error).name}: ${(failure as Error).message}`).toMatch(reason);
    expect((failure as Error).name).toMatch(/^(Format|Unsupported|Option)Error$/);
  });

  it("runs on ids without a tokenizer, and says so where it is given text", async () => {
    rmSync(path("tokenizer.json"), { force: true });
    const model = await load(folder);
    await expect(model.run("A text.")).rejects.toThrow(
      "this model has no tokenizer; pass { inputIds } instead of text",
    );
    expect((await model.run({ inputIds: [[3, 4, 5]] })).logits.shape).toEqual([1, 3, 97]);
    await model.dispose();
  });

  it("loads once it is whole: nothing is kept of an attempt that failed", async () => {
    const whole = path("model.safetensors");
    renameSync(whole, path("kept"));
    await expect(load(folder)).rejects.toThrow("expected model.safetensors");
    renameSync(path("kept"), whole);
    const model = await load(folder);
    expect((await model.run({ inputIds: [[3, 4, 5]] })).logits.shape).toEqual([1, 3, 97]);
    await model.dispose();
  });
});
