import { build } from "./build.js";
import type { Operand } from "./builder.js";
import type { Value } from "./value.js";

/** π/2 in parts; the first two have so few bits that their products with whole numbers below 2²⁰ are exact. */
const [turn, turnRest] = [[1.5, 9 / 128, 2029 / 2 ** 22], Math.PI / 2 - 1.5 - 9 / 128 - 2029 / 2 ** 22];

/** Taylor's coefficients in r²; beyond the last the terms are below 1e-9 for |r| ≤ π/4. */
const sineCoefficients = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880];
const cosineCoefficients = [1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800];

/** c₀ + c₁·s + c₂·s² + … by Horner's rule. */
function polynomial(s: Value, coefficients: readonly number[]): Value {
  const [highest, ...rest] = [...coefficients].reverse();
  return rest.reduce<Operand>((sum, coefficient) => build.add(build.mul(s, sum), coefficient), highest) as Value;
}

/** k mod n for whole k and a power of two. */
function modulo(k: Value, n: number): Value {
  return build.sub(k, build.mul(build.floor(build.mul(k, 1 / n)), n));
}

/**
 * sin(x + quarters · π/2) to a few units of 6e-8, for shading languages that promise only about 5e-4 near 0 and nothing
 * far from it: x is reduced to the nearest quarter turn, then a polynomial is taken.
 *
 *   k = round(2x/π),  r = x − k·π/2,  sin(x + q·π/2) = (−1)^⌊(k+q)/2⌋ · (sin r, or cos r where k + q is odd)
 *
 * Range    exact to 1e-6 for |x| < 1e5
 */
export function sine(x: Value, quarters: 0 | 1): Value {
  const k = build.floor(build.add(build.mul(x, 2 / Math.PI), 0.5));
  const r = [...turn, turnRest].reduce((rest, part) => build.sub(rest, build.mul(k, part)), x);
  const s = build.mul(r, r);

  const quadrant = modulo(build.add(k, quarters), 4);
  const isOdd = build.equal(modulo(quadrant, 2), 1);
  const sign = build.sub(1, build.mul(build.cast(build.greater(quadrant, 1), "float32"), 2));
  const even = build.mul(r, polynomial(s, sineCoefficients));
  return build.mul(sign, build.where(isOdd, polynomial(s, cosineCoefficients), even));
}
