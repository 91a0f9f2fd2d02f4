import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Run } from "../../kernel/lib/index.js";
import { load, tensor } from "../../kernel/lib/index.js";
import type { SamplingOptions } from "../../kernel/lib/models/sampling.js";
import { chooserOf } from "../../kernel/lib/models/sampling.js";
import type { Oracle } from "./oracle.js";
import { decoders, inputOf, maxAbsDiff, readOracle, rowsOf } from "./oracle.js";

const tolerance = 5e-5;

describe.each(decoders)("the causal language model %s", (name) => {
  let oracle: Oracle;
  let model: Model;
  let run: Run;

  beforeAll(async () => {
    oracle = await readOracle(name);
    model = await load(oracle.folder);
    run = await model.run(inputOf(oracle), {
      capture: ["blocks.*.attn.q", "blocks.*.attn.k", "blocks.*.attn.v", "blocks.*.attn.scores"],
    });
  });

  afterAll(() => model.dispose());

  it("has the recorded loss, in all and token by token", () => {
    expect(run.loss).toBeCloseTo(oracle.at("loss").item(0), 5);
    const { shape, data } = run.lossPerToken;
    const [batch, length] = oracle.at("input_ids").shape as [number, number];
    expect(shape).toEqual([batch, length - 1]);
    const labels = rowsOf(oracle.at("labels"));
    labels.forEach((row, b) => {
      row.slice(1).forEach((label, t) => {
        const loss = data[b * (length - 1) + t] as number;
        // A target whose predecessor is padding does not count.
        if (label === -100) expect(loss).toBeNaN();
        else if (!Number.isNaN(loss)) expect(loss).toBeCloseTo(-run.logProbs.item(b, t, label), 5);
      });
    });
  });

  it("gives log-probabilities that sum to one", () => {
    const { shape } = run.logProbs;
    expect(shape).toEqual(run.logits.shape);
    const row = run.logProbs.slice(0, 3).numbers();
    expect(row.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 5);
  });

  it("runs with positions that are given, or has none and says so", async () => {
    if (["bloom", "falcon_alibi"].includes(name)) {
      const positionIds = inputOf(oracle).inputIds;
      await expect(model.run({ ...inputOf(oracle), positionIds })).rejects.toThrow(/has no position ids; leave/);
      return;
    }
    const expected = oracle.tensors.get("posids.logits");
    const counted = rowsOf(oracle.at("attention_mask")).map((row) => {
      let seen = -1;
      return row.map((real) => Math.max(0, (seen += real)));
    });
    const recorded = oracle.tensors.get("position_ids");
    const positions = recorded ? rowsOf(recorded) : counted;
    const again = await model.run({ ...inputOf(oracle), positionIds: positions });
    if (expected) expect(maxAbsDiff(again.logits, expected)).toBeLessThan(tolerance);
    // Otherwise they are those that the model counts by itself: padding on the right, or OPT.
    else expect(maxAbsDiff(realOnly(again), realOnly(run))).toBe(0);
    const shifted = positions.map((row) => row.map((position) => Math.min(2 * position, model.positions - 1)));
    expect(
      maxAbsDiff((await model.run({ ...inputOf(oracle), positionIds: shifted })).logits, run.logits),
    ).toBeGreaterThan(1e-3);
  });

  it("keeps the layouts: queries per head, keys and values per group", () => {
    const [batch, length] = oracle.at("input_ids").shape as [number, number];
    const { heads, kvHeads, headDim } = model;
    expect(heads % kvHeads).toBe(0);
    expect(run.at("blocks.0.attn.q").shape).toEqual([batch, heads, length, headDim]);
    for (const part of ["k", "v"]) {
      expect(run.at(`blocks.0.attn.${part}`).shape).toEqual([batch, kvHeads, length, headDim]);
    }
    expect(run.at("blocks.0.attn.scores").shape).toEqual([batch, heads, length, length]);
  });

  it("hides the future, and spreads a row without any visible key evenly", () => {
    const [batch, length] = oracle.at("input_ids").shape as [number, number];
    const mask = rowsOf(oracle.at("attention_mask"));
    for (let layer = 0; layer < model.layers; layer++) {
      const pattern = run.at(`blocks.${layer}.attn.pattern`);
      for (let b = 0; b < batch; b++) {
        for (let q = 0; q < length; q++) {
          const isEmpty = mask[b].slice(0, q + 1).every((real) => real === 0);
          const row = pattern.slice(b, 0, q).numbers();
          // GPT-Neo's mask is added in two parts: even rows reach as far as the window shows.
          const spread = name === "gpt_neo" ? row.filter((share) => share > 0) : row;
          if (isEmpty) expect(Math.max(...spread) - Math.min(...spread)).toBeLessThan(1e-7);
          else if (mask[b][q] === 1) expect(row.subarray(q + 1).every((share) => share === 0)).toBe(true);
        }
      }
    }
  });

  it("writes the recorded tokens, greedily", async () => {
    const expected = rowsOf(oracle.at("generated"));
    const seen: number[][] = expected.map(() => []);
    const { ids, logits, tokens } = await model.generate(inputOf(oracle), {
      maxNewTokens: expected[0].length,
      onToken: ({ prompt, step, id }) => {
        expect(step).toBe(seen[prompt].length);
        seen[prompt].push(id);
      },
    });
    expect(ids).toEqual(expected);
    expect(seen).toEqual(expected);
    expect(tokens.map((row) => row.length)).toEqual(ids.map((row) => row.length));
    const chosenFrom = oracle.tensors.get("generated.logits");
    logits.forEach((rows, b) => {
      expect(rows.shape).toEqual([expected[b].length, run.logits.shape[2]]);
      if (chosenFrom) expect(maxAbsDiff(rows, chosenFrom.slice(b))).toBeLessThan(tolerance);
    });
  });

  it("describes itself with every address", () => {
    const text = model.describe();
    for (const address of model.addresses) expect(text).toContain(address.split(".").at(-1));
    expect(text.split("\n").length).toBeLessThan(16);
  });

  function realOnly({ logits }: Run): ReturnType<typeof tensor> {
    const mask = rowsOf(oracle.at("attention_mask"));
    const rows = mask.flatMap((row, b) =>
      row.flatMap((real, t) => (real === 1 ? [Array.from(logits.slice(b, t).numbers())] : [])),
    );
    return tensor(rows);
  }
});

describe("generation", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
  });
  afterAll(() => model.dispose());

  it("continues text in text", async () => {
    const { ids, texts, tokens } = await model.generate(["The licence", "You may"], { maxNewTokens: 3 });
    expect(ids.map((row) => row.length)).toEqual([3, 3]);
    expect(tokens.flat().join("")).not.toMatch(/Ġ/);
    expect(texts.every((text) => typeof text === "string")).toBe(true);
  });

  it("is the same for a prompt alone and beside a longer one", async () => {
    const [together, alone] = [
      await model.generate(
        {
          inputIds: [
            [5, 6, 7],
            [8, 9, 10, 11, 12],
          ],
        },
        { maxNewTokens: 4 },
      ),
      await model.generate({ inputIds: [[5, 6, 7]] }, { maxNewTokens: 4 }),
    ];
    expect(together.ids[0]).toEqual(alone.ids[0]);
  });

  it("draws by its seed: the same again, other tokens with another, the likeliest at topK 1", async () => {
    const prompts = {
      inputIds: [
        [5, 6, 7],
        [8, 9, 10],
      ],
    };
    const ids = async (options: object): Promise<readonly (readonly number[])[]> =>
      (await model.generate(prompts, { maxNewTokens: 6, ...options })).ids;
    const first = await ids({ temperature: 2, seed: 7 });
    expect(await ids({ temperature: 2, seed: 7 })).toEqual(first);
    expect(await ids({ temperature: 2, seed: 8 })).not.toEqual(first);
    expect(await ids({ temperature: 2, topK: 1 })).toEqual(await ids({}));
    const alone = await model.generate({ inputIds: [[5, 6, 7]] }, { maxNewTokens: 6, temperature: 2, seed: 7 });
    expect(alone.ids[0]).toEqual(first[0]);
  });

  it("draws each token as often as its probability says", () => {
    const row = [0, Math.log(2), Math.log(5), -50];
    const count = (options: SamplingOptions): number[] => {
      const choose = chooserOf(options);
      const counts = [0, 0, 0, 0];
      for (let step = 0; step < 8000; step++) counts[choose(row, 0, step)]++;
      return counts.map((times) => times / 8000);
    };
    const near = (shares: number[], expected: number[]): void =>
      shares.forEach((share, i) => expect(Math.abs(share - expected[i])).toBeLessThan(0.02));
    near(count({ temperature: 1 }), [1 / 8, 2 / 8, 5 / 8, 0]);
    near(count({ temperature: 0.5 }), [1 / 30, 4 / 30, 25 / 30, 0]);
    near(count({ temperature: 1, topK: 2, seed: 3 }), [0, 2 / 7, 5 / 7, 0]);
  });

  it.each([
    [{ maxNewTokens: 2, temperature: -1 }, /temperature must be a number of at least 0, got -1/],
    [{ maxNewTokens: 2, temperature: 1, topK: 0 }, /topK must be a whole number of at least 1, got 0/],
    [{ maxNewTokens: 2, topK: 5 }, /topK needs a temperature above 0/],
    [{ maxNewTokens: 2, seed: 5 }, /seed needs a temperature above 0/],
    [{ maxNewTokens: 0 }, /maxNewTokens must be a whole number of at least 1, got 0/],
    [{ maxNewTokens: 39 }, /needs 41 positions for 3 tokens and 39 new ones, but GPT2LMHeadModel has 40/],
    [{ maxNewTokens: 2, beams: 3 }, /unknown option "beams"/],
  ])("refuses %j", async (options, message) => {
    await expect(model.generate({ inputIds: [[1, 2, 3]] }, options)).rejects.toThrow(message);
  });

  it("refuses positions, and models that predict no next token", async () => {
    const given = { inputIds: [[1, 2]], positionIds: [[0, 1]] };
    await expect(model.generate(given, { maxNewTokens: 1 })).rejects.toThrow(/leave positionIds out/);
    const encoder = await load((await readOracle("bert")).folder);
    await expect(encoder.generate({ inputIds: [[1, 2]] }, { maxNewTokens: 1 })).rejects.toThrow(/BertForMaskedLM/);
    await expect(encoder.gradients({ inputIds: [[1, 2]] }, { of: "loss", at: ["blocks.0.attn.z"] })).rejects.toThrow(
      /does not predict next tokens/,
    );
    const run = await encoder.run({ inputIds: [[1, 2]] });
    expect(run.loss).toBeUndefined();
    expect(() => run.lossPerToken).toThrow(/does not predict next tokens/);
    await encoder.dispose();
  });
});
