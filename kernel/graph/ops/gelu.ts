import { isFloat, ShapeError } from "../../tensor/index.js";
import type { Build } from "../builder.js";
import { erf } from "../loops.js";
import type { Attributes, Value } from "../value.js";
import type { Operator } from "../op.js";

/** Φ by the error function, or approximated by tanh. */
export type GeluForm = "none" | "tanh";

/** 2·√(2/π), and the part of it that goes with x³: 1 + tanh(u) = 2·σ(2u). */
const linear = 2 * Math.sqrt(2 / Math.PI);
const cubic = 0.044715 * linear;

const isTanh = ({ approximate }: Attributes): boolean => approximate === "tanh";

/** Φ(x), or σ(x·(linear + cubic·x²)). */
function share(build: Build, x: Value, square: Value | undefined): Value {
  if (square) return build.sigmoid(build.mul(x, build.add(build.mul(square, cubic), linear)));
  return build.mul(build.add(build.erf(build.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** The same numbers from other operators. */
export function composedGelu(build: Build, x: Value, attributes: Attributes): Value {
  return build.mul(x, share(build, x, isTanh(attributes) ? build.mul(x, x) : undefined));
}

/** x·Φ(x): arXiv:1606.08415 §2, where 0.044715 is the constant of the approximation by tanh. */
export const gelu: Readonly<Record<string, Operator>> = {
  Gelu: {
    arity: [1, 1],
    attributes: { approximate: "string" },
    infer: ([x], { approximate }) => {
      if (!isFloat(x.dtype)) throw new ShapeError(`Gelu: expected a float operand, got ${x.dtype}`);
      if (approximate !== "none" && approximate !== "tanh") {
        throw new ShapeError(`Gelu: approximate must be "none" or "tanh", got "${String(approximate)}"`);
      }
      return { shape: x.shape, dtype: x.dtype };
    },
    reference: ([{ shape, data }], attributes) => ({
      shape,
      data: data.map(
        isTanh(attributes)
          ? (x) => x / (1 + Math.exp(-x * (linear + cubic * x * x)))
          : (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2)),
      ),
    }),
    vjp: (build, d, node) => {
      const [x] = node.inputs;
      const square = build.mul(x, x);
      if (isTanh(node.attributes)) {
        // σ + y·(1 − σ)·(linear + 3·cubic·x²)
        const s = share(build, x, square);
        const inner = build.mul(node, build.add(build.mul(square, 3 * cubic), linear));
        return [build.mul(d, build.add(build.mul(build.sub(1, s), inner), s))];
      }
      const density = build.mul(build.exp(build.mul(square, -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [build.mul(d, build.add(share(build, x, undefined), build.mul(x, density)))];
    },
  },
};
