import { build, constant, evaluate, gradients } from "../../graph/index.js";
import { random, Tensor } from "../../tensor/index.js";
import { waysOf } from "./agrees.js";
import { caseOf } from "./case.js";
import { apart, type Law } from "./law.js";

const step = 1e-5;

/** Derivatives of z with respect to every operand, parameter and gate are central differences. */
export const differentiates: Law = {
  name: "gradients are central differences",
  check: (unit) => {
    const { call, feeds, leaves } = caseOf(unit, { sees: waysOf(unit).at(-1)!, small: true });
    const { z } = unit.attend(call);
    // Weighted at random, so that every element counts differently.
    const weights = random(99).normal(z.shape as readonly number[], { dtype: "float64" });
    const loss = build.reduceSum(build.mul(z, constant(weights)));
    const found = gradients(loss, leaves);
    const analytic = evaluate(Object.fromEntries(found.map((d, i) => [`d${i}`, d])), feeds);
    for (const [i, { label: name }] of leaves.entries()) {
      const held = feeds[name!];
      const lossAt = (position: number, shift: number): number => {
        const moved = Float64Array.from(held.numbers());
        moved[position] += shift;
        return evaluate({ loss }, { ...feeds, [name!]: new Tensor("float64", held.shape, moved) })["loss"].data[0];
      };
      const numeric = Array.from(held.numbers(), (_, at) => (lossAt(at, step) - lossAt(at, -step)) / (2 * step));
      const wrong = apart(`the derivative by ${name}`, analytic[`d${i}`].data, numeric, 1e-6);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  },
};
