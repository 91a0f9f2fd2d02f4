import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluate, input } from "../../kernel/lib/graph/index.js";
import type { JsonObject } from "../../kernel/lib/models/json.js";
import { rotaryOf, rotaryRegime, rotate } from "../../kernel/lib/models/rotary.js";
import { Tensor } from "../../kernel/lib/tensor/index.js";
import { oracles } from "./oracle.js";

interface Row {
  readonly parameters: JsonObject;
  readonly headDim: number;
  readonly positions: number;
  readonly length: number;
  readonly frequencies: readonly number[];
  readonly magnitude: number;
  readonly cos: readonly number[];
  readonly sin: readonly number[];
}

const { rows } = JSON.parse(readFileSync(join(oracles, "rotary/frequencies.json"), "utf8")) as { rows: Row[] };

const configOf = (parameters: JsonObject, positions: number) => ({
  rope_theta: 10000,
  rope_scaling: null,
  rope_parameters: parameters,
  max_position_embeddings: positions,
});

describe("rotary positions", () => {
  it.each(rows)("of $parameters turn $length positions as transformers do", (row) => {
    const { headDim, length } = row;
    const half = headDim / 2;
    const rotary = rotaryOf("llama", configOf(row.parameters, row.positions), headDim);
    expect(rotary.magnitude ?? 1).toBeCloseTo(row.magnitude, 6);
    if (rotaryRegime(rotary, length) === 0) {
      row.frequencies.forEach((expected, i) => expect(rotary.frequencies[i] / expected).toBeCloseTo(1, 6));
    }
    // A one in the first half of each pair turns into its cosine and sine.
    const x = new Float32Array(length * headDim).map((_, i) => (i % headDim < half ? 1 : 0));
    const turned = evaluate(
      {
        turned: rotate(
          rotary,
          input("x", "float32", [1, 1, length, headDim]),
          input("positions", "int32", [1, length]),
        ),
      },
      {
        x: new Tensor("float32", [1, 1, length, headDim], x),
        positions: new Tensor(
          "int32",
          [1, length],
          Int32Array.from({ length }, (_, i) => i),
        ),
      },
    )["turned"];
    const last = Array.from(turned.data).slice(-headDim);
    // An angle is as exact as its float32 frequency times its position.
    [...row.cos, ...row.sin].forEach((expected, i) => expect(Math.abs(last[i] - expected)).toBeLessThan(1e-5));
  });

  it("of dynamic scaling reach as far as the factor says, each length in its own way", () => {
    const rotary = rotaryOf("llama", configOf({ rope_type: "dynamic", factor: 4 }, 32), 16);
    expect(rotary.reach).toBe(128);
    expect([8, 32, 33, 40].map((length) => rotaryRegime(rotary, length))).toEqual([0, 0, 33, 40]);
  });

  it.each([
    [{ rope_type: "proportional" }, /rope_type "proportional" is not handled; known: default, linear, dynamic/],
    [{ type: "longrope" }, /long_factor must be 8 numbers above 0, got undefined/],
    [{ type: "longrope", long_factor: [1], short_factor: [1] }, /long_factor must be 8 numbers above 0, got \[1\]/],
    [{ rope_type: "linear" }, /factor of rope_type "linear" must be a number above 0/],
    [{ rope_type: "dynamic", alpha: 4 }, /"alpha" of rope_type "dynamic" is not handled/],
    [{ rope_type: "yarn", factor: 4, truncate: "no" }, /truncate must be true or false, got "no"/],
    [{ rope_type: "yarn", factor: 4, finetuned: true }, /"finetuned" of rope_type "yarn" is not handled/],
    [{ rope_type: "default", attention_factor: 2 }, /"attention_factor" of rope_type "default" is not handled/],
  ])("refuse %j", (scaling, message) => {
    expect(() => rotaryOf("llama", configOf(scaling, 64), 16)).toThrow(message);
  });
});
