import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ModelProtoSchema, StringStringEntryProtoSchema } from "../../kernel/lib/graph/proto/onnx_pb.js";
import type { ModelProto, TensorProto } from "../../kernel/lib/graph/proto/onnx_pb.js";
import { files } from "../../kernel/lib/host/files.js";
import { load } from "../../kernel/lib/index.js";
import { openSafetensors } from "../../kernel/lib/models/index.js";
import { loadTokenizer } from "../../kernel/lib/models/tokenizer.js";
import { FormatError } from "../../kernel/lib/tensor/index.js";
import { oracles } from "./oracle.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "hostile-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** The same draws in every run. */
function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(FormatError);
  return (failure as Error).message;
}

const bert = join(oracles, "files", "bert");
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

describe("a hostile config", () => {
  const withConfig = async (text: string): Promise<string> => {
    copyFileSync(join(bert, "model.safetensors"), join(folder, "model.safetensors"));
    writeFileSync(join(folder, "config.json"), text);
    return refusal(load(folder));
  };
  const config = JSON.parse(readFileSync(join(bert, "config.json"), "utf8")) as object;

  it("with layers without end is refused before they are written down", async () => {
    expect(await withConfig(JSON.stringify({ ...config, num_hidden_layers: 1e9 }))).toContain(
      "config.json says num_hidden_layers = 1000000000; expected at most 10000",
    );
  });

  it("of parts in parts in parts is refused", async () => {
    expect(await withConfig(nested(100_000))).toMatch(/more than 64 deep|not JSON/);
  });

  it("too large to be one is not read", async () => {
    writeFileSync(join(folder, "config.json"), "{}");
    truncateSync(join(folder, "config.json"), 5e9); // no byte of it lies on the disk
    expect(await refusal(load(folder))).toContain("5000000000 bytes of JSON");
  });
});

describe("hostile safetensors", () => {
  it("with a header of lists in lists are refused", async () => {
    const path = join(folder, "a.safetensors");
    const header = Buffer.from(`{"a":{"dtype":"F32","shape":${"[".repeat(90_000)}${"]".repeat(90_000)}}}`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([length, header]));
    expect(await refusal(openSafetensors(files, path))).toMatch(/lists in lists|not JSON/);
  });

  it("cut, flipped and stuffed are refused or whole", async () => {
    const whole = readFileSync(join(bert, "io.safetensors"));
    const path = join(folder, "a.safetensors");
    const draw = draws(3);
    let opened = 0;
    for (let round = 0; round < 400; round++) {
      const bytes = Buffer.from(whole.subarray(0, draw(3) === 0 ? draw(whole.length) : whole.length));
      for (let n = draw(3); n >= 0 && bytes.length > 0; n--) bytes[draw(Math.min(bytes.length, 2500))] = draw(256);
      writeFileSync(path, bytes);
      await openSafetensors(files, path).then(
        () => opened++,
        (error: unknown) => expect(error).toBeInstanceOf(FormatError),
      );
    }
    expect(opened).toBeGreaterThan(0);
  });
});

describe("a hostile tokenizer", () => {
  const kinds = readdirSync(join(oracles, "tokenizers"), { withFileTypes: true }).filter((held) => held.isDirectory());
  const junk: readonly unknown[] = [null, -1, 1e308, "", "\ud800", [], {}, [[]], true, "Sequence", ["a", 1], 2 ** 53];

  it.each(kinds.map(({ name }) => name))("made of %s is refused, or reads texts to ids", async (name) => {
    const text = readFileSync(join(oracles, "tokenizers", name, "tokenizer.json"), "utf8");
    const draw = draws(5);
    let [read, refused] = [0, 0];
    for (let round = 0; round < 150; round++) {
      const json = JSON.parse(text) as Record<string, unknown>;
      for (let n = draw(2); n >= 0; n--) {
        let at: Record<string, unknown> = json;
        for (let depth = 0; depth < 6; depth++) {
          const keys = Object.keys(at);
          const key = keys[draw(keys.length)];
          const next = key === undefined ? undefined : at[key];
          if (key !== undefined && (typeof next !== "object" || next === null || draw(4) === 0)) {
            at[key] = structuredClone(junk[draw(junk.length)]);
            break;
          }
          if (next !== undefined) at = next as Record<string, unknown>;
        }
      }
      writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(json));
      try {
        const tokenizer = (await loadTokenizer(files, folder))!;
        const { ids, offsets } = tokenizer.encode("The cat, [MASK] é 東京 <s>\t😀 2½");
        expect(ids.every((id) => Number.isSafeInteger(id) && id >= 0)).toBe(true);
        expect(offsets.codePoints.length).toBe(ids.length);
        read++;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        refused++;
      }
    }
    expect(read).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });

  it("cut off, or of another kind, is refused", async () => {
    const text = readFileSync(join(oracles, "tokenizers", "unigram", "tokenizer.json"), "utf8");
    for (const held of [
      text.slice(0, 900),
      "[]",
      "",
      nested(5000),
      '{"model":{"type":"Unigram"}}',
      '{"version":"1.0"}',
    ]) {
      writeFileSync(join(folder, "tokenizer.json"), held);
      await refusal(loadTokenizer(files, folder));
    }
  });
});

describe("a hostile ONNX file", () => {
  const edited = async (edit: (model: ModelProto) => void): Promise<string> => {
    const model = fromBinary(ModelProtoSchema, readFileSync(join(bert, "dynamo.onnx")));
    edit(model);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "a.onnx"), toBinary(ModelProtoSchema, model));
    return refusal(load(join(folder, "a.onnx")));
  };

  it("that goes in a circle is refused", async () => {
    expect(await edited(({ graph }) => (graph!.node[0].input[0] = graph!.node.at(-1)!.output[0]))).toContain(
      "which nothing before it defines; a cyclic graph?",
    );
    expect(await edited(({ graph }) => (graph!.node.at(-1)!.output[0] = graph!.node[0].output[0]))).toContain(
      "a second time",
    );
  });

  it("whose weights have other sizes than their bytes is refused", async () => {
    const largest = ({ graph }: ModelProto): TensorProto =>
      graph!.initializer.reduce((a, b) => (b.rawData.length > a.rawData.length ? b : a));
    for (const dims of [[2n ** 40n, 2n ** 40n], [3n], [-1n], []]) {
      expect(await edited((model) => (largest(model).dims = dims))).toMatch(/has \d+ bytes but its shape \[.*\] needs/);
    }
  });

  it("whose weights lie nowhere, or outside its folder, is refused", async () => {
    const external = (location: string) => (model: ModelProto) => {
      const held = model.graph!.initializer.find(({ rawData }) => rawData.length > 2000)!;
      held.dataLocation = 1;
      held.rawData = new Uint8Array(0);
      held.externalData = [create(StringStringEntryProtoSchema, { key: "location", value: location })];
    };
    expect(await edited(external("weights.bin"))).toContain('lies in "weights.bin", which is not there');
    expect(await edited(external("../weights.bin"))).toContain("outside the model's folder");
    expect(await edited(external("/etc/hostname"))).toContain("outside the model's folder");
  });
});
