import { readFileSync, rmSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { audioFeatures } from "../../kernel/lib/index.js";
import { decodeWav } from "../../kernel/lib/models/wav.js";
import { maxAbsDiff, oracles, readTensors } from "./oracle.js";

const folder = `${oracles}audio`;
const sound = readFileSync(`${folder}/sound.wav`);
const scratch = mkdtempSync(join(tmpdir(), "audio-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A WAV file of one format, from its samples' bytes. */
function wav(format: number, bits: number, channels: number, rate: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(44 + data.length);
  const view = new DataView(bytes.buffer);
  const tag = (at: number, text: string): void =>
    bytes.set(
      [...text].map((letter) => letter.charCodeAt(0)),
      at,
    );
  tag(0, "RIFF");
  view.setUint32(4, 36 + data.length, true);
  tag(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, format, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, (rate * channels * bits) / 8, true);
  view.setUint16(32, (channels * bits) / 8, true);
  view.setUint16(34, bits, true);
  tag(36, "data");
  view.setUint32(40, data.length, true);
  bytes.set(data, 44);
  return bytes;
}

describe("audio features", () => {
  it.each(["mel16", "mel80"])("agree with transformers' WhisperFeatureExtractor: %s", async (name) => {
    const expected = (await readTensors(`${folder}/features.safetensors`)).get(name)!;
    const made = await audioFeatures(`${folder}/sound.wav`, { model: `${folder}/${name}` });
    expect(maxAbsDiff(made, expected)).toBeLessThan(1e-4);
  });

  it("are the same for samples as for the file that holds them, and come one row per sound", async () => {
    const { samples } = decodeWav(sound, "test");
    const one = await audioFeatures(`${folder}/sound.wav`, { model: `${folder}/mel16` });
    const two = await audioFeatures([samples, `${folder}/sound.wav`], { model: `${folder}/mel16` });
    expect(two.shape).toEqual([2, 16, 100]);
    for (const row of [0, 1]) expect([...two.slice(row).data]).toEqual([...one.slice(0).data]);
  });

  it("begin where they are told to", async () => {
    const long = new Float32Array(40_000).map((_, i) => Math.sin(i / 7 + i ** 2 / 1e6));
    const options = { model: `${folder}/mel16` };
    const later = await audioFeatures(long, { ...options, fromSeconds: 1 });
    expect([...later.data]).toEqual([...(await audioFeatures(long.slice(16_000, 32_000), options)).data]);
  });

  it.each<[string, unknown, object, string]>([
    [
      "another rate",
      wav(1, 16, 1, 8000, new Uint8Array(8)),
      {},
      "8000 samples a second, but the model hears 16000; convert it",
    ],
    ["bytes that are no WAV", new Uint8Array(20), {}, "expected a WAV file"],
    ["a cut file", sound.subarray(0, 4000), {}, "the data chunk needs"],
    [
      "a coding that is not handled",
      wav(2, 4, 1, 16000, new Uint8Array(8)),
      {},
      "WAV format 2 with 4 bits is not handled",
    ],
    ["a sound that is too long", new Float32Array(16001), {}, "but the model hears 1; say from where with fromSeconds"],
    ["an empty sound", new Float32Array(0), {}, "nothing to hear from second 0 on"],
    ["a sound with a hole", Float32Array.of(0, NaN), {}, "sample 1 is NaN; expected finite numbers"],
    ["a start behind the end", new Float32Array(10), { fromSeconds: 2 }, "nothing to hear from second 2 on"],
    ["a file that is not there", "missing.wav", {}, "no file"],
    ["something else", 5, {}, "expected the path of a WAV file or a Float32Array, got number"],
    ["a misspelt option", new Float32Array(10), { fromSecond: 2 }, 'did you mean "fromSeconds"?'],
    [
      "a model without a preprocessor",
      new Float32Array(10),
      { model: `${oracles}models/bart` },
      "no preprocessor_config.json",
    ],
  ])("refuse %s", async (_, source, options, message) => {
    const path = join(scratch, "try.wav");
    const isFile = source instanceof Uint8Array;
    if (isFile) writeFileSync(path, source);
    const asked = audioFeatures(isFile ? path : (source as string), { model: `${folder}/mel16`, ...options });
    await expect(asked).rejects.toThrow(message);
  });
});

describe("a WAV file", () => {
  it.each<[string, number, number, Uint8Array, number[]]>([
    ["PCM of 8 bits", 1, 8, Uint8Array.of(0, 128, 192), [-1, 0, 0.5]],
    ["PCM of 16 bits", 1, 16, new Uint8Array(Int16Array.of(-32768, 16384).buffer), [-1, 0.5]],
    ["PCM of 24 bits", 1, 24, Uint8Array.of(0, 0, 0x80, 0, 0, 0x40), [-1, 0.5]],
    ["PCM of 32 bits", 1, 32, new Uint8Array(Int32Array.of(-(2 ** 31), 2 ** 30).buffer), [-1, 0.5]],
    ["floating point of 32 bits", 3, 32, new Uint8Array(Float32Array.of(0.25, -0.75).buffer), [0.25, -0.75]],
    ["floating point of 64 bits", 3, 64, new Uint8Array(Float64Array.of(0.25, -0.75).buffer), [0.25, -0.75]],
  ])("is read as %s", (_, format, bits, data, expected) => {
    expect([...decodeWav(wav(format, bits, 1, 16000, data), "test").samples]).toEqual(expected);
  });

  it("has its channels averaged", () => {
    const data = new Uint8Array(Int16Array.of(16384, 0, -16384, 8192).buffer);
    expect([...decodeWav(wav(1, 16, 2, 16000, data), "test").samples]).toEqual([0.25, -0.125]);
  });
});
