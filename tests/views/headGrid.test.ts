import { describe, expect, it } from "vitest";
import {
  headGrid,
  headGridText,
  PayloadError,
  readHeadGrid,
  readPatterns,
  type HeadGridInput,
} from "attention-lab/views";
import { headGridExamples, syntheticHeadGrid, syntheticPattern, tokensOf } from "../gallery/headGrid.js";

const input = (change: Partial<HeadGridInput> = {}): HeadGridInput => ({
  title: "Tiny",
  layers: 2,
  heads: 3,
  causal: false,
  samples: [
    {
      text: "a b",
      queryTokens: ["[CLS]", "a", "b", "[SEP]"],
      keyTokens: ["[CLS]", "a", "b", "[SEP]"],
      pattern: (layer, head) => syntheticPattern(4, 4, false, [0, 3], layer * 3 + head),
    },
  ],
  provenance: { model: "tiny", seed: 1 },
  ...change,
});

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), "utf8");

describe("headGrid", () => {
  it("stores every weight of a short input in 16 bits", () => {
    const payload = headGrid(input());
    const [sample] = payload.samples;
    const reader = readPatterns(sample.patterns, 3, sample.scalars.max);
    expect(reader).toMatchObject({ codec: "float16", block: 1, rows: 4, columns: 4 });
    for (let layer = 0; layer < 2; layer++) {
      for (let head = 0; head < 3; head++) {
        const pattern = syntheticPattern(4, 4, false, [0, 3], layer * 3 + head);
        reader.head(layer, head).forEach((weight, at) => expect(weight).toBeCloseTo(pattern[at], 3));
      }
    }
  });

  it("measures scalars on the full patterns", () => {
    const uniform = headGrid(
      input({
        samples: [
          {
            queryTokens: ["[CLS]", "a", "b", "[SEP]"],
            keyTokens: ["[CLS]", "a", "b", "[SEP]"],
            pattern: (_, head) =>
              head === 0
                ? new Float32Array(16).fill(0.25)
                : Float32Array.from({ length: 16 }, (_, at) => Number(at % 4 === Math.max(0, Math.floor(at / 4) - 1))),
          },
        ],
      }),
    ).samples[0];
    expect(uniform.specialKeys).toEqual([0, 3]);
    expect(uniform.scalars.entropyNats[0]).toBeCloseTo(Math.log(4), 5);
    expect(uniform.scalars.specialTokenMass[0]).toBe(0.5);
    expect(uniform.scalars.meanDistance[0]).toBe((1.5 + 1 + 1 + 1.5) / 4);
    expect(uniform.scalars.previousTokenMass[1]).toBe(1);
    expect(uniform.scalars.entropyNats[1]).toBe(0);
    expect(uniform.scalars.firstTokenMass[1]).toBe(0.5);
    expect(uniform.scalars.meanDistance[1]).toBe(0.75);
  });

  it.each([
    ["float16", 1, 1_000_000, 40],
    ["sqrt8", 1, 330_000, 40],
    ["sqrt8", 2, 100_000, 40],
    ["sqrt8", 4, 40_000, 40],
  ])("chooses %s, blocks of %i, for a budget of %i bytes", (codec, block, budgetBytes, length) => {
    const payload = syntheticHeadGrid({ layers: 12, heads: 12, samples: [tokensOf(length)], budgetBytes });
    expect(payload.samples[0].patterns).toMatchObject({ codec, block });
    expect(bytesOf(payload)).toBeLessThanOrEqual(budgetBytes);
    expect(() => readHeadGrid(JSON.parse(JSON.stringify(payload)))).not.toThrow();
  });

  it("pools without losing a spike and says where it was", () => {
    const length = 100;
    const tokens = tokensOf(length);
    const pattern = new Float32Array(length * length).fill(0.001);
    pattern[37 * length + 81] = 0.9;
    const payload = headGrid(
      input({
        layers: 1,
        heads: 1,
        samples: [{ queryTokens: tokens, keyTokens: tokens, pattern: () => pattern }],
      }),
      { budgetBytes: 4_000 },
    );
    const { patterns, scalars } = payload.samples[0];
    const { block, columns, head } = readPatterns(patterns, 1, scalars.max);
    expect(block).toBeGreaterThan(1);
    const weights = head(0, 0);
    expect(weights[Math.floor(37 / block) * columns + Math.floor(81 / block)]).toBeCloseTo(0.9, 2);
    expect([...weights].filter((weight) => weight > 0.1)).toHaveLength(1);
  });

  it("counts bytes, not characters", () => {
    const tokens = Array.from({ length: 60 }, () => "漢字🙂é");
    const payload = syntheticHeadGrid({ layers: 2, heads: 2, samples: [tokens], budgetBytes: 9_000 });
    expect(bytesOf(payload)).toBeLessThanOrEqual(9_000);
  });

  it("cuts tokens and texts that are too long, and never a surrogate pair in two", () => {
    const payload = headGrid(
      input({
        samples: [
          {
            text: "x".repeat(10_000),
            queryTokens: ["🙂".repeat(500)],
            keyTokens: ["🙂".repeat(500)],
            pattern: () => Float32Array.of(1),
          },
        ],
      }),
    );
    expect(payload.samples[0].text!.length).toBe(4096);
    expect(payload.samples[0].keyTokens[0]).toMatch(/^(🙂)+…$/u);
    expect(() => readHeadGrid(payload)).not.toThrow();
  });

  it.each<[string, Partial<HeadGridInput>, RegExp]>([
    ["no layers", { layers: 0 }, /1…512 layers/],
    ["no samples", { samples: [] }, /1…256 samples, got 0/],
    [
      "a pattern of another length",
      { samples: [{ queryTokens: ["a"], keyTokens: ["a", "b"], pattern: () => new Float32Array(4) }] },
      /sample 0, head 0\.0: expected 1 × 2 = 2 weights, got 4/,
    ],
    [
      "a weight that is not a number",
      { samples: [{ queryTokens: ["a"], keyTokens: ["a", "b"], pattern: () => Float32Array.of(1, NaN) }] },
      /head 0\.0: expected finite weights ≥ 0, got NaN at query 0, key 1/,
    ],
    [
      "a negative weight",
      { samples: [{ queryTokens: ["a"], keyTokens: ["a"], pattern: () => Float32Array.of(-0.5) }] },
      /got -0\.5/,
    ],
    [
      "no tokens",
      { samples: [{ queryTokens: [], keyTokens: ["a"], pattern: () => new Float32Array(0) }] },
      /1…65536 tokens/,
    ],
  ])("refuses %s", (_, change, reason) => {
    expect(() => headGrid(input(change))).toThrow(PayloadError);
    expect(() => headGrid(input(change))).toThrow(reason);
  });

  it("refuses a budget that cannot hold the tokens, and says what it needs", () => {
    expect(() => headGrid(input(), { budgetBytes: 300 })).toThrow(/budget of at least \d+ bytes .*got 300/);
    const needed = Number(/at least (\d+)/.exec(messageOf(() => headGrid(input(), { budgetBytes: 300 })))![1]);
    expect(() => headGrid(input(), { budgetBytes: needed })).not.toThrow();
  });
});

const messageOf = (act: () => unknown): string => {
  try {
    act();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("headGridText", () => {
  it("names the model, the input and the strongest heads", () => {
    const text = headGridText(headGrid(input()));
    const lines = text.split("\n");
    expect(lines[0]).toBe("Tiny · 2 layers × 3 heads");
    expect(lines[1]).toBe("sample 1 of 1, 4 tokens: [CLS] a b [SEP]");
    expect(lines.find((line) => line.includes("special tokens"))).toMatch(
      /^ {2}special tokens +\d\.\d 0\.\d\d · \d\.\d/,
    );
    expect(lines.at(-1)).toBe("model tiny · seed 1");
  });

  it("puts the strongest head first", () => {
    const payload = headGridExamples["encoder"]();
    const { specialTokenMass } = payload.samples[0].scalars;
    const best = specialTokenMass.indexOf(Math.max(...specialTokenMass));
    const line = headGridText(payload)
      .split("\n")
      .find((candidate) => candidate.includes("special tokens"));
    expect(line).toContain(`${Math.floor(best / 12)}.${best % 12} ${specialTokenMass[best].toFixed(2)} ·`);
  });
});
