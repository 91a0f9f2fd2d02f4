import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { load } from "../../kernel/lib/index.js";
import type { Generation, GenerateOptions, ModelInput } from "../../kernel/lib/index.js";
import { anyInputOf, maxAbsDiff, oracles, readOracle } from "./oracle.js";

/** Texts that transformers wrote under the rules of a generation config: tests/oracles/rules. */
interface Case {
  readonly model: string;
  readonly rules: Readonly<Record<string, unknown>>;
  readonly eos: number;
  readonly ids: readonly (readonly number[])[];
}
const { cases, newTokens } = JSON.parse(readFileSync(join(oracles, "rules/texts.json"), "utf8")) as {
  readonly cases: readonly Case[];
  readonly newTokens: number;
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rules-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** The model with these rules in its generation_config.json. */
async function write(name: string, config: object, options: Partial<GenerateOptions> = {}): Promise<Generation> {
  const oracle = await readOracle(name);
  const folder = join(root, name);
  cpSync(oracle.folder, folder, { recursive: true });
  writeFileSync(join(folder, "generation_config.json"), JSON.stringify(config));
  const model = await load(folder);
  try {
    const { decoderInputIds: _, labels: __, ...given }: ModelInput = anyInputOf(oracle);
    return await model.generate(given, { maxNewTokens: newTokens, ...options });
  } finally {
    await model.dispose();
  }
}

describe("the rules of generation_config.json", () => {
  it.each(cases)("move the text as in transformers: $model $rules", async ({ model, rules, eos, ids }) => {
    expect((await write(model, { eos_token_id: eos, ...rules })).ids).toEqual(ids);
  });

  it("do move it: most cases differ from the free text", () => {
    const free = new Map(
      cases.filter(({ rules }) => Object.keys(rules).length === 0).map((each) => [each.model, each.ids]),
    );
    const ruled = cases.filter(({ model, rules }) => free.has(model) && Object.keys(rules).length > 0);
    const moved = ruled.filter(({ model, ids }) => JSON.stringify(ids) !== JSON.stringify(free.get(model)));
    expect(moved.length).toBeGreaterThan(0.7 * ruled.length);
  });

  it("are left aside on request, and leave the logits as they are", async () => {
    const rules = { eos_token_id: 2, forced_bos_token_id: 11 };
    const [free, ruled, aside] = [
      await write("bart", { eos_token_id: 2 }),
      await write("bart", rules),
      await write("bart", rules, { rules: false }),
    ];
    expect(ruled.ids[0][0]).toBe(11);
    expect(aside.ids).toEqual(free.ids);
    expect(maxAbsDiff(ruled.logits[0].slice(0), free.logits[0].slice(0))).toBe(0);
  });

  it("come from the config where there is no such file", async () => {
    const oracle = await readOracle("bart");
    const folder = join(root, "older");
    cpSync(oracle.folder, folder, { recursive: true });
    rmSync(join(folder, "generation_config.json"));
    const path = join(folder, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...config, forced_bos_token_id: 11 }));
    const model = await load(folder);
    const { inputIds, attentionMask } = anyInputOf(oracle);
    const { ids } = await model.generate({ inputIds: inputIds!, attentionMask: attentionMask! }, { maxNewTokens: 2 });
    expect(ids.map(([first]) => first)).toEqual(ids.map(() => 11));
    await model.dispose();
  });

  it.each([
    ["forced_bos_token_id", "a", "a token id or null"],
    ["bad_words_ids", [3], "lists of token ids, or null"],
    ["repetition_penalty", -1, "a number of at least 0, or null"],
  ])("are refused where they are none: %s", async (name, value, expected) => {
    await expect(write("bart", { [name]: value })).rejects.toThrow(
      `${name} = ${JSON.stringify(value)}; expected ${expected}`,
    );
  });
});
