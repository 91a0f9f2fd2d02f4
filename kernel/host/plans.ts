import type { Program, Value } from "../graph/index.js";
import { structureOf } from "../graph/index.js";
import type { Plan, PlanOptions } from "./plan.js";
import { fileOf, fittedTo } from "./plan.js";

type Outputs = Readonly<Record<string, Value>>;
type File = Pick<Plan, "model" | "key">;

/** How many files are kept, some 200 KB each. */
const keptFiles = 32;

/** A file, and the place in its program of what each node computes. */
interface Kept extends File {
  readonly places: readonly (readonly [string, number])[];
}

/** Plans graphs for a device. What was planned before is not planned again, nor is the file of an equal graph written again. */
export class Plans {
  readonly #planned = new WeakMap<Value, { readonly outputs: Outputs; readonly plan: Plan }>();
  readonly #files = new Map<string, Kept>();

  /** Throws UnsupportedError on an operator that the device lacks and that nothing stands for. */
  of(outputs: Outputs, options: PlanOptions): Plan {
    const [first] = Object.values(outputs);
    const before = first && this.#planned.get(first);
    if (before && isSame(before.outputs, outputs)) return before.plan;
    const { program, fitted } = fittedTo(outputs, options);
    const plan = { program, fitted, ...this.#file(fitted, options) };
    // What a device lacks is learned while graphs are loaded.
    if (first && !options.coverage) this.#planned.set(first, { outputs, plan });
    return plan;
  }

  #file(fitted: Program, options: PlanOptions): File {
    const structure = structureOf(fitted);
    if (structure === undefined) return fileOf(fitted, options);
    const { places, model, key } = this.#files.get(structure) ?? keepable(fitted, fileOf(fitted, options));
    this.#files.delete(structure);
    this.#files.set(structure, { places, model, key });
    if (this.#files.size > keptFiles) this.#files.delete([...this.#files.keys()][0]!);
    // A node is told by the line that made its value in this graph, not in the one before.
    return { key, model: { ...model, nodes: new Map(places.map(([name, place]) => [name, fitted.values[place]!])) } };
  }
}

function keepable({ values }: Program, file: File): Kept {
  const order = new Map(values.map((value, place) => [value, place]));
  return { ...file, places: [...file.model.nodes].map(([name, value]) => [name, order.get(value)!]) };
}

function isSame(a: Outputs, b: Outputs): boolean {
  const names = Object.keys(a);
  return names.join() === Object.keys(b).join() && names.every((name) => a[name] === b[name]);
}
