import { describe, expect, it } from "vitest";
import { load } from "../../kernel/lib/index.js";
import { inputOf, maxAbsDiff, readOracle } from "./oracle.js";

/** Of the largest element; measured at most 3.6e-3 on these models, one rounding to float16 being up to 4.9e-4. */
const tolerance = 1e-2;

describe.each(["gpt2", "llama_rope3", "gemma2", "bert"])("%s in float16", (name) => {
  it("agrees with float32, and keeps its activations in float32", async () => {
    const oracle = await readOracle(name);
    const [exact, half] = [await load(oracle.folder), await load(oracle.folder, { dtype: "float16" })];
    const [expected, got] = [await exact.run(inputOf(oracle)), await half.run(inputOf(oracle))];
    const scale = expected.logits.numbers().reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    const difference = maxAbsDiff(got.logits, expected.logits);
    expect(difference / scale).toBeLessThan(tolerance);
    // Not the float32 graph once more.
    expect(difference).toBeGreaterThan(1e-5);
    const pattern = got.at("blocks.1.attn.pattern");
    expect(pattern.dtype).toBe("float32");
    expect(maxAbsDiff(pattern, expected.at("blocks.1.attn.pattern"))).toBeLessThan(tolerance);
    await Promise.all([exact.dispose(), half.dispose()]);
  });
});
