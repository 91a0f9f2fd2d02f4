/**
 * A number as tables show it.
 *
 * Range    integers below 1e15 in full, everything else with at most `digits` significant digits
 */
export function numberText(x: number, digits: number = 5): string {
  if (Object.is(x, -0)) return "-0";
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x);
  return String(Number(x.toPrecision(digits)));
}
