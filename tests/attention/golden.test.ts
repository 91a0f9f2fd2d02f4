import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Call } from "../../kernel/lib/attention/index.js";
import { masks, maskTensor, mechanisms, positions } from "../../kernel/lib/attention/index.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant, evaluate } from "../../kernel/lib/graph/index.js";
import { Tensor } from "../../kernel/lib/tensor/index.js";
import { mean, merged } from "../../kernel/lib/attention/merge.js";
import { distance } from "../../kernel/lib/attention/laws/law.js";

interface Held {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Golden {
  readonly name: string;
  readonly source: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, Held>>;
  readonly outputs: Readonly<Record<string, Held>>;
}

const file = new URL("../oracles/mechanisms/golden.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { readonly cases: readonly Golden[] };
const golden = (name: string): Golden => cases.find((one) => one.name === name)!;

const valueOf = ({ shape, data }: Held): Value => constant(new Tensor("float64", shape, Float64Array.from(data)));
/** As [B,H,T,D], from that layout or from [B,T,H,D]. */
const heads = (held: Held, layout: unknown): Value =>
  layout === "BTHD" ? build.transpose(valueOf(held), [0, 2, 1, 3]) : valueOf(held);

function callOf({ inputs, attrs }: Golden): Pick<Call, "q" | "k" | "v"> {
  const [q, k, v] = ["q", "k", "v"].map((name) => heads(inputs[name], attrs["layout"]));
  return { q, k, v };
}

function expectGolden(one: Golden, z: Value): void {
  const wanted = evaluate({ o: heads(one.outputs["o"], one.attrs["layout"]) })["o"];
  expect(distance(evaluate({ z })["z"].data, wanted.data), one.source).toBeLessThan(2e-5);
}

describe("outputs of the authors' and of other published code", () => {
  it("softmax_causal", () => {
    const one = golden("softmax_causal");
    const mask = constant(maskTensor(masks.causal(), 64, 64));
    expectGolden(one, mechanisms.softmax.attend({ ...callOf(one), mask }, { scale: 0.5 }).z);
  });

  it("softmax_window7", () => {
    const one = golden("softmax_window7");
    const mask = constant(maskTensor(masks.window({ length: 7 }), 64, 64));
    expectGolden(one, mechanisms.softmax.attend({ ...callOf(one), mask }, { scale: 0.5 }).z);
  });

  it("linear_attn", () => {
    const one = golden("linear_attn");
    const options = { scale: 0.5, feature: "identity", normalised: false } as const;
    expectGolden(one, mechanisms.linear.attend(callOf(one), options).z);
  });

  it("lightning_decay", () => {
    const one = golden("lightning_decay");
    const options = { scale: 0.5, decay: one.attrs["lambda_per_head"] as readonly number[] };
    expectGolden(one, mechanisms.lightning.attend(callOf(one), options).z);
  });

  it("retention", () => expectGolden(golden("retention"), mechanisms.retention.attend(callOf(golden("retention"))).z));

  it("delta_rule", () => {
    const one = golden("delta_rule");
    const gates = { beta: valueOf(one.inputs["beta"]) };
    expectGolden(one, mechanisms.deltaRule.attend({ ...callOf(one), gates }, { scale: 0.5 }).z);
  });

  it("softmax_1: a sink of logit 0", () => {
    const one = golden("softmax_1");
    const [rows, keys] = one.inputs["x"].shape;
    // Scores of a query of ones against keys that hold them: q·k = x.
    const q = constant(new Tensor("float64", [rows, 1, 1, 1], new Float64Array(rows).fill(1)));
    const k = build.reshape(valueOf(one.inputs["x"]), [rows, 1, keys, 1]);
    const parameters = { sink: constant(new Tensor("float64", [1], new Float64Array(1))) };
    const { pattern } = mechanisms.sinkLogit.attend({ q, k, v: k, parameters }, { scale: 1 });
    expect(distance(evaluate({ pattern })["pattern"].data, one.outputs["p"].data), one.source).toBeLessThan(2e-6);
  });

  it("flow_attention", () => {
    const one = golden("flow_attention");
    const split = (held: Held): Value => {
      const [batch, length, width] = held.shape;
      return build.transpose(build.reshape(valueOf(held), [batch, length, 2, width / 2]), [0, 2, 1, 3]);
    };
    const [q, k, v] = ["q", "k", "v"].map((name) => split(one.inputs[name]));
    const { z } = mechanisms.flow.attend({ q, k, v }, { epsilon: one.attrs["eps"] as number });
    expect(
      distance(evaluate({ z })["z"].data, evaluate({ o: split(one.outputs["o"]) })["o"].data),
      one.source,
    ).toBeLessThan(2e-5);
  });

  it("lse_merge: two parts of the keys as one", () => {
    const one = golden("lse_merge");
    const sum = build.scalar(1, "float64");
    const [a, b] = ["1", "2"].map((n) => ({
      ...{ top: valueOf(one.inputs[`lse${n}`]), sum, weighted: valueOf(one.inputs[`o${n}`]) },
    }));
    const whole = merged(a, b);
    const got = evaluate({ o: mean(whole), lse: build.add(whole.top, build.log(whole.sum)) });
    for (const name of ["o", "lse"])
      expect(distance(got[name].data, one.outputs[name].data), one.source).toBeLessThan(2e-5);
  });

  it("natten_mask_7x7_k3", () => {
    const one = golden("natten_mask_7x7_k3");
    const mask = maskTensor(masks.neighbourhood({ shape: [7, 7], window: 3 }), 49, 49);
    expect([...mask.numbers()]).toEqual(one.outputs["mask"].data);
  });

  it("music_skew", () => {
    const one = golden("music_skew");
    const [heads_, length] = one.inputs["qe"].shape;
    const skewed = evaluate({ y: positions.skew(valueOf(one.inputs["qe"])) })["y"];
    for (let h = 0; h < heads_; h++)
      for (let i = 0; i < length; i++)
        for (let j = 0; j <= i; j++) {
          const at = (h * length + i) * length + j;
          expect(skewed.data[at]).toBeCloseTo(one.outputs["srel"].data[at], 6);
        }
  });
});
