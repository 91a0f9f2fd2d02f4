import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { Model, Run, Tensor } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { maxAbsDiff, maxDiff, oracles, readTensors } from "./oracle.js";

const folder = fileURLToPath(new URL("../../.cache/models/all-MiniLM-L6-v2", import.meta.url));
const reference = JSON.parse(readFileSync(join(oracles, "minilm/reference.json"), "utf8")) as {
  readonly sentences: readonly string[];
  readonly tokens: readonly (readonly string[])[];
};
const tolerance = 5e-5;

it("is in place: `npm start` or `npm test` fetches it", () => expect(existsSync(folder)).toBe(true));

describe("the trained MiniLM agrees with Hugging Face transformers", () => {
  let recorded: Map<string, Tensor>;
  let model: Model;
  let together: Run;

  beforeAll(async () => {
    recorded = await readTensors(join(oracles, "minilm/reference.safetensors"));
    model = await load(folder);
    together = await model.run(reference.sentences);
  });

  it("in its tokens", () => {
    reference.tokens.forEach((tokens, i) => {
      expect(together.realPositions(i).map((t) => together.tokens[i][t])).toEqual(tokens);
    });
  });

  it.each(reference.sentences.map((sentence, i) => ({ sentence, i })))("alone: $sentence", async ({ sentence, i }) => {
    const run = await model.run(sentence);
    const patterns = recorded.get(`${i}.patterns`)!;
    for (let layer = 0; layer < model.layers; layer++) {
      const got = run.at(`blocks.${layer}.attn.pattern`).slice(0);
      expect(maxAbsDiff(got, patterns.slice(layer)), `layer ${layer}`).toBeLessThan(tolerance);
    }
    expect(maxAbsDiff(run.at("last_hidden_state"), recorded.get(`${i}.last_hidden_state`)!)).toBeLessThan(tolerance);
    expect(maxAbsDiff(run.at("pooler_output"), recorded.get(`${i}.pooler_output`)!)).toBeLessThan(tolerance);
  });

  it("padded together", () => {
    reference.sentences.forEach((_, i) => {
      const patterns = recorded.get(`${i}.patterns`)!;
      const length = patterns.shape[2];
      for (let layer = 0; layer < model.layers; layer++) {
        for (let head = 0; head < model.heads; head++) {
          const whole = together.at(`blocks.${layer}.attn.pattern`).slice(i, head);
          const rows = Array.from({ length }, (_, q) => [...whole.slice(q).numbers().subarray(0, length)]).flat();
          const expected = patterns.slice(layer, head).numbers();
          expect(maxDiff(Float64Array.from(rows), expected), `${i}: ${layer}.${head}`).toBeLessThan(tolerance);
        }
      }
    });
  });

  it("and shows itself as a head grid with text, sentence by sentence without padding", async () => {
    const display = together as unknown as Record<symbol, () => Promise<Record<string, unknown>>>;
    const bundle = await display[Symbol.for("Jupyter.display")]();
    const payload = bundle["application/vnd.attention-lab.head-grid.v1+json"] as {
      readonly layers: number;
      readonly heads: number;
      readonly samples: readonly { readonly text: string; readonly queryTokens: readonly string[] }[];
      readonly provenance: Readonly<Record<string, string>>;
    };
    expect([payload.layers, payload.heads]).toEqual([6, 12]);
    expect(payload.samples.map(({ text }) => text)).toEqual(reference.sentences);
    expect(payload.samples.map(({ queryTokens }) => queryTokens)).toEqual(reference.tokens);
    expect(payload.provenance).toMatchObject({ modelHash: "53aa51172d142c89", device: "cpu", dtype: "float32" });
    expect(String(bundle["text/plain"]).split("\n").length).toBeGreaterThan(3);
  });
});
