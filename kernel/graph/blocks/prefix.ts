import type { Dim } from "../dims.js";
import { mentions } from "../dims.js";
import { numberOf, numbersOf } from "../op.js";
import { operators } from "../ops/index.js";
import type { Value } from "../value.js";
import type { BlockPlan } from "./plan.js";
import { isPairs } from "./plan.js";
import { elementwiseOps } from "./rows.js";

/** The label of a table of pairs that is true where the key comes after the query: what shows that attention is causal. */
export const futureLabel = "future";

/**
 * What a table of pairs holds where the key comes after the query: one number; a score so low that a softmax makes 0 of
 * it; or what is not known.
 */
type Beyond = number | "lowest" | "unknown";

const low = -1e38;

const isLow = (beyond: Beyond): boolean => beyond === "lowest" || (typeof beyond === "number" && beyond <= low);

const carriesOn = new Set(["Transpose", "Unsqueeze", "Squeeze", "Reshape", "Expand", "Identity", "Slice", "Concat"]);

const comparisons = new Set(["Less", "LessOrEqual", "Greater", "GreaterOrEqual"]);

/** A number that is the same for all elements. */
function scalarOf({ source }: Value): number | undefined {
  return source?.kind === "constant" && source.tensor.size === 1 ? Number(source.tensor.data[0]) : undefined;
}

function elementwise(value: Value, operands: readonly Beyond[]): Beyond {
  const { op } = value;
  const [a, b, c] = operands;
  if (op === "Where") {
    if (typeof a === "number") return a === 0 ? c : b;
    return b === c || (isLow(b) && isLow(c)) ? b : "unknown";
  }
  if ((op === "Or" && operands.includes(1)) || (op === "And" && operands.includes(0))) return op === "Or" ? 1 : 0;
  if ((op === "Mul" && operands.includes(0)) || (op === "Div" && a === 0)) return 0;
  if (operands.every((operand) => typeof operand === "number")) {
    const dense = operands.map((x) => ({ shape: [], data: Float64Array.of(x) }));
    return operators[op].reference(dense, value.attributes).data[0];
  }
  if (op === "Cast") return a;
  if ((op === "Add" && operands.some(isLow)) || (op === "Sub" && isLow(a))) return "lowest";
  if (op === "Exp" && isLow(a)) return 0;
  if (op === "Max") return isLow(a) ? b : isLow(b) ? a : "unknown";
  if (comparisons.has(op) && a === "lowest" && typeof b === "number" && b > low) return op.startsWith("Less") ? 1 : 0;
  return "unknown";
}

/**
 * Whether the loop of a stage gives the same when a query reads only the keys up to itself: whatever runs over keys in it
 * meets later keys with nothing to add, a weight of 0 or a score that a softmax hides. Every query must see some key.
 */
export function readsBackwards(plan: BlockPlan, stage: number, word: string): boolean {
  const known = new Map<Value, Beyond | undefined>();
  const isPair = (x: Value): boolean => isPairs(x, word);
  const hasWord = ({ shape }: Value): boolean => shape.some((dim) => mentions(dim, word));
  const isPlain = ({ shape }: Value): boolean => shape.every((dim: Dim) => dim === word || !mentions(dim, word));

  const keyAxis = ({ shape }: Value, axis: number): number =>
    shape.findIndex((dim, at) => at !== axis && mentions(dim, word));

  /** What a value that the body computes holds beyond the diagonal; undefined where it depends on later keys. */
  const beyond = (x: Value, axis: number): Beyond | undefined => {
    const place = plan.places.get(x)!;
    if (isPair(x) && (place.kind !== "rows" || place.axis !== axis || x.shape[keyAxis(x, axis)] !== word)) {
      return undefined;
    }
    if (!known.has(x)) {
      known.set(x, undefined);
      known.set(x, judged(x, axis));
    }
    return known.get(x);
  };
  const judged = (x: Value, axis: number): Beyond | undefined => {
    if (isPair(x) && x.label === futureLabel) return axis === x.shape.length - 2 ? 1 : undefined;
    const cuts = plan.rowsOf(x, axis, stage);
    if (cuts === "whole") return isPair(x) ? undefined : "unknown";
    const result = combined(x, cuts, axis);
    return result === undefined || isPair(x) ? result : "unknown";
  };
  const combined = (x: Value, cuts: readonly (number | undefined)[], axis: number | undefined): Beyond | undefined => {
    const operands: Beyond[] = [];
    for (const [i, own] of x.inputs.entries()) {
      const cut = cuts[i];
      // What is read whole may have keys on one axis, which are cut short as well.
      if (cut === undefined && !isPlain(own)) return undefined;
      const held = cut === undefined ? (isPair(own) ? undefined : (scalarOf(own) ?? "unknown")) : beyond(own, cut);
      if (held === undefined) return undefined;
      operands.push(held);
    }
    const tables = x.inputs.flatMap((own, i) => (isPair(own) ? [i] : []));
    const [first] = operands;
    const keys = tables.length > 0 ? keyAxis(x.inputs[tables[0]], cuts[tables[0]]!) : NaN;
    const rank = x.inputs[0]?.shape.length ?? 0;
    const along = (name: "axis" | "axes"): boolean => {
      const axes = name === "axis" ? [numberOf(x.attributes, name)] : numbersOf(x.attributes, name);
      return axes.some((at) => (at + rank) % rank === keys);
    };
    switch (x.op) {
      case "MatMul":
        // Over keys: a table of zeros there. Over anything else: finite numbers.
        if (tables.length === 0) return isPair(x) || !x.inputs.some((own, i) => cuts[i] === undefined && hasWord(own)) ? "unknown" : undefined; // prettier-ignore
        if (tables.length > 1 || (axis !== undefined && isPair(x))) return undefined;
        return operands[tables[0]] === 0 ? 0 : undefined;
      case "Softmax":
        return tables.length === 0 ? "unknown" : along("axis") && isLow(first) ? 0 : undefined;
      case "LogSoftmax":
        return tables.length === 0 ? "unknown" : along("axis") && isLow(first) ? "lowest" : undefined;
      case "ReduceSum":
        return tables.length === 0 ? "unknown" : first === 0 ? 0 : along("axes") ? undefined : "unknown";
      case "ReduceMax":
        return tables.length === 0 || isLow(first) ? first : along("axes") ? undefined : "unknown";
      default:
        if (tables.length === 0 && !isPair(x)) {
          return x.inputs.some((own, i) => cuts[i] === undefined && hasWord(own)) ? undefined : "unknown";
        }
        if (carriesOn.has(x.op)) {
          if (tables.length === 0) return scalarOf(x.inputs[0]) ?? "unknown";
          if (!isPair(x) && !(x.op === "Slice" && along("axes") && numbersOf(x.attributes, "ends")[0] === 1)) return undefined; // prettier-ignore
          return operands.every((operand) => operand === first) ? first : "unknown";
        }
        return elementwiseOps.has(x.op) ? elementwise(x, operands) : undefined;
    }
  };
  return [...plan.results[stage]].every((x) => {
    const place = plan.places.get(x)!;
    if (place.kind === "rows") return !isPair(x) && beyond(x, place.axis) !== undefined;
    if (place.kind !== "fold") return false;
    const { cuts, kind } = place.fold;
    if (!x.inputs.some(isPair)) return !hasWord(x) && combined(x, cuts, undefined) !== undefined;
    // Folded over queries: what is missing at later keys are zeros.
    return kind === "sum" && isPlain(x) && combined(x, cuts, undefined) === 0;
  });
}
