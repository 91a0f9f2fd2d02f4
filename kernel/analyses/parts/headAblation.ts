import { bosPattern, uniformPattern, zeroPattern } from "../../interventions/index.js";
import type { AttentionStack, GraphEdit, Intervention, Run } from "../../models/index.js";
import type { HeadAblation } from "../../views/index.js";

/** The ways whose change needs no graph of its own: they work on every kind of attention. */
const gated: readonly HeadAblation[] = ["zero", "mean"];
const edits = { uniform: uniformPattern, bos: bosPattern, zeroPattern } as const;

/** Whether the heads of a run can be taken out in that way. */
export function isOffered(run: Run, mode: HeadAblation): boolean {
  return gated.includes(mode) || (Object.hasOwn(edits, mode) && run.stacks.length === 1);
}

/** The intervention that takes one head out. */
export function interventionOf(
  { name }: AttentionStack,
  layer: number,
  head: number,
  mode: HeadAblation,
): Intervention | GraphEdit {
  if (mode === "zero" || mode === "mean") return { ...(name === "" ? {} : { stack: name }), layer, head, mode };
  return edits[mode]({ layer, head });
}
