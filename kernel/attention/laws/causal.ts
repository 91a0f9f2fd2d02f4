import { evaluate } from "../../graph/index.js";
import { Tensor } from "../../tensor/index.js";
import { caseOf } from "./case.js";
import { notAsked, type Law } from "./law.js";

/** A tensor with its last token changed. */
function changedEnd(tensor: Tensor): Tensor {
  const [, , length, width = 1] = tensor.shape;
  const numbers = tensor.numbers();
  const data = Float64Array.from(numbers, (x, at) =>
    Math.floor(at / width) % length === length - 1 ? 0.5 * x + 0.1 : x,
  );
  return new Tensor("float64", tensor.shape, data);
}

/** With a causal mask, or by itself, nothing depends on later tokens: not by a single bit. */
export const causal: Law = {
  name: "nothing depends on later tokens",
  check: (unit) => {
    if (unit.promises.sees === "all") return notAsked;
    const { call, feeds, sizes, leaves } = caseOf(unit, { sees: "causal" });
    const length = sizes.keys as number;
    const perToken = leaves.filter(({ shape }) => shape.length > 2 && shape[2] === length).map(({ label }) => label!);
    const changed = { ...feeds, ...Object.fromEntries(perToken.map((name) => [name, changedEnd(feeds[name])])) };
    const { z } = unit.attend(call);
    const [before, after] = [evaluate({ z }, feeds)["z"].data, evaluate({ z }, changed)["z"].data];
    const moved = before.findIndex((x, at) => Math.floor(at / sizes.valueDim) % length < length - 1 && after[at] !== x);
    if (moved < 0) return undefined;
    return `z of token ${Math.floor(moved / sizes.valueDim) % length} moves when the last of ${length} tokens changes`;
  },
};
