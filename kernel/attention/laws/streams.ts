import type { Value } from "../../graph/index.js";
import { evaluate, input } from "../../graph/index.js";
import { Tensor } from "../../tensor/index.js";
import type { Call } from "../mechanism.js";
import { caseOf } from "./case.js";
import { apart, notAsked, type Law } from "./law.js";

/** Token t of axis 2, kept as an axis of 1. */
function tokenOf(tensor: Tensor, t: number): Tensor {
  const [batch, heads, length, ...rest] = tensor.shape;
  const width = rest.reduce((a, b) => a * b, 1);
  const numbers = tensor.numbers();
  const data = Float64Array.from({ length: batch * heads * width }, (_, at) => {
    const [row, channel] = [Math.floor(at / width), at % width];
    return numbers[(row * length + t) * width + channel];
  });
  return new Tensor("float64", [batch, heads, 1, ...rest], data);
}

const mapped = <A, B>(record: Readonly<Record<string, A>>, f: (value: A, name: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));

/** One token after the other, with nothing kept but the state, gives what one pass gives. */
export const streams: Law = {
  name: "token by token is all at once",
  check: (unit) => {
    const { stream } = unit;
    if (!stream) return notAsked;
    const { call, feeds, leaves, sizes } = caseOf(unit, { sees: "causal" });
    const length = sizes.keys as number;
    const options = unit.optionsOf();
    const isPerToken = ({ shape }: Value): boolean => shape.length > 2 && shape[2] === length;
    const single = Object.fromEntries(
      leaves.map((leaf) => {
        const shape = leaf.shape.map((dim, axis) => (axis === 2 ? 1 : dim));
        return [leaf.label!, isPerToken(leaf) ? input(leaf.label!, "float64", shape) : leaf];
      }),
    );
    const token: Call = {
      ...{ q: single["q"], k: single["k"], v: single["v"] },
      parameters: mapped(call.parameters ?? {}, (_, name) => single[name]),
      gates: mapped(call.gates ?? {}, (_, name) => single[name]),
    };
    let state = mapped(stream.state({ ...sizes, queries: 1, keys: 1 }, options), ({ shape, initial }) => {
      const full = [sizes.batch as number, sizes.heads, ...shape];
      return new Tensor("float64", full, new Float64Array(full.reduce((a, b) => a * b, 1)).fill(initial));
    });
    const held = mapped(state, ({ shape }, name) => input(`state ${name}`, "float64", shape));
    const next = stream.step(held, token, options);
    const whole = evaluate({ z: unit.attend(call).z }, feeds)["z"].data;
    for (let t = 0; t < length; t++) {
      const fed = Object.fromEntries(
        leaves.map((leaf) => [leaf.label!, isPerToken(leaf) ? tokenOf(feeds[leaf.label!], t) : feeds[leaf.label!]]),
      );
      const states = Object.fromEntries(Object.entries(state).map(([name, tensor]) => [`state ${name}`, tensor]));
      const got = evaluate({ ...next.state, "z of the token": next.z }, { ...fed, ...states });
      const row = whole.filter((_, at) => Math.floor(at / sizes.valueDim) % length === t);
      const wrong = apart(`z of token ${t}`, got["z of the token"].data, row, 1e-9);
      if (wrong !== undefined) return wrong;
      state = mapped(state, (_, name) => new Tensor("float64", got[name].shape, got[name].data));
    }
    return undefined;
  },
};
