import { describe, expect, it } from "vitest";
import { files } from "../../kernel/lib/host/files.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build } from "../../kernel/lib/graph/index.js";
import { openCheckpoint } from "../../kernel/lib/models/checkpoint.js";
import { families } from "../../kernel/lib/models/index.js";
import { forward } from "../../kernel/lib/models/forward.js";
import { readJson } from "../../kernel/lib/models/json.js";
import { bindWeights } from "../../kernel/lib/models/weights.js";
import type { Batch } from "../../kernel/lib/models/family.js";
import type { Tensor } from "../../kernel/lib/tensor/index.js";
import { random } from "../../kernel/lib/tensor/index.js";
import { decoders, encoders, oracles, pairs } from "./oracle.js";

const engine = new OrtEngine("cpu");

async function opened(name: string) {
  const folder = `${oracles}models/${name}`;
  const config = await readJson(files, `${folder}/config.json`);
  const [architecture] = config["architectures"] as [string];
  const family = families.find(({ architectures }) => architectures.includes(architecture))!;
  const blueprint = family.open(architecture, config);
  const weights = bindWeights(blueprint, await openCheckpoint(files, folder));
  const rows = (values: number[]): Int32Array => Int32Array.from(values);
  const read = {
    length: 4,
    inputIds: rows([5, 6, 7, 8, 9, 10, 11, blueprint.padId]),
    attentionMask: rows([1, 1, 1, 1, 1, 1, 1, 0]),
  };
  const batch: Batch = { size: 2, ...read, tokenTypeIds: rows([0, 0, 0, 0, 0, 0, 0, 0]) };
  const features = blueprint.decoder?.features;
  const heard = (frames: number, bins: number): Partial<Batch> => ({
    length: frames / 2,
    inputIds: new Int32Array(frames),
    attentionMask: new Int32Array(frames).fill(1),
    features: random(7).normal([2, bins, frames]),
  });
  const feeds = blueprint.feeds({
    ...batch,
    ...(features ? heard(features.frames, features.bins) : {}),
    ...(blueprint.decoder ? { decoder: { ...read, labels: rows([6, 7, 8, -1, 10, 11, -1, -1]) } } : {}),
  });
  /** `edited`: an address, or `"*"` for all of them at once. */
  const outputsWith = async (edited: string, edit: (value: Value) => Value): Promise<Record<string, Tensor>> => {
    const { values, outputs } = forward(blueprint, weights, (address, value) =>
      address === edited || edited === "*" ? edit(value) : value,
    );
    const compiled = await engine.compile(Object.fromEntries(outputs.map((output) => [output, values.get(output)!])));
    const results = await compiled.run(feeds);
    await compiled.dispose();
    return results;
  };
  const { values, outputs } = forward(blueprint, weights);
  return { addresses: [...values.keys()].filter((address) => !outputs.includes(address)), outputsWith };
}

describe.each([...encoders, ...decoders, ...pairs])("every address of %s", (name) => {
  it("is where it says: identities at all of them leave the outputs bit-equal, any other edit of one changes them", async () => {
    const { addresses, outputsWith } = await opened(name);
    const clean = await outputsWith("", (value) => value);
    expect(addresses.length).toBeGreaterThan(20);
    const same = await outputsWith("*", (value) => build.apply("Identity", [value]));
    for (const output of Object.keys(clean)) expect(same[output].data).toEqual(clean[output].data);
    // Every layer of a decoder is written by the same lines: the middle one stands for all.
    const isTried = (address: string): boolean => encoders.includes(name) || !/\bblocks\.[02]\./.test(address);
    for (const address of addresses.filter(isTried)) {
      // A factor and not a sum: scores do not notice a constant.
      const other = await outputsWith(address, (value) => build.mul(value, 1.25));
      const changed = Object.keys(clean).some((output) => !sameData(other[output], clean[output]));
      expect(changed, `${address} does nothing`).toBe(true);
    }
  });
});

function sameData(a: Tensor, b: Tensor): boolean {
  return a.data.every((x, i) => x === b.data[i]);
}
