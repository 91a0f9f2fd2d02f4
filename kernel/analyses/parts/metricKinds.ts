import type { Value } from "../../graph/index.js";
import { build, input, programOf, structureOf, substitute } from "../../graph/index.js";
import type { Site } from "../../models/index.js";
import type { PromptMetric } from "./metric.js";

type Written = Readonly<Record<string, Value>>;

/** A metric of one prompt, written on a last hidden state of its own. */
export interface ApartMetric {
  /** The metric as a scalar. */
  readonly written: Value;
  /** The hidden state that it reads where the model's would be, [B,Q,M]. */
  readonly apart: Value;
}

/** What was written for metrics of one kind, by the model's last hidden state: the same for every prompt. */
const writtenBefore = new WeakMap<Value, Map<string, Written>>();

/** How many kinds are kept per model; metrics that differ in tokens alone are of one. */
const keptKinds = 8;

/** Whether a model predicts tokens from a last hidden state with an address. */
export function hasHead({ addresses }: Site): boolean {
  return addresses.includes("logits") && addresses.includes("ln_final");
}

/**
 * What an analysis writes for a metric, written once for all prompts and all metrics that differ in nothing but what they are fed.
 * For models that {@link hasHead}. Inputs that `make` needs are fed beforehand, each time.
 */
export function onceForKind(
  analysis: string,
  site: Site,
  metric: PromptMetric,
  index: number,
  make: (metric: ApartMetric) => Written,
): Written {
  const final = site.at("ln_final");
  const apart = input("last hidden state", final.dtype, final.shape);
  const written = build.reduceSum(metric.write(seenAs(site, final, apart), [index]));
  const structure = structureOf(programOf({ written }));
  if (structure === undefined) return make({ written, apart });
  const kind = `${analysis} ${structure}`;
  const known = writtenBefore.get(final) ?? new Map<string, Written>();
  writtenBefore.set(final, known);
  const outputs = known.get(kind) ?? make({ written, apart });
  known.set(kind, outputs);
  if (known.size > keptKinds) known.delete([...known.keys()][0]);
  return outputs;
}

/** A run whose last hidden state is another one. */
function seenAs(site: Site, final: Value, other: Value): Site {
  const { at } = site;
  const logits = substitute(at("logits"), new Map([[final, other]]));
  return { ...site, at: (address) => (address === "ln_final" ? other : address === "logits" ? logits : at(address)) };
}
