import { setsOutputs, type AblationMode } from "./modes.js";

/** One thing that a sweep takes out: a head, or the random head of that number. */
export interface SweepRow {
  readonly kind: "head" | "random";
  readonly layer: number;
  readonly head: number;
  readonly mode: AblationMode;
}

/** Every head in every mode, and random heads for the modes that set outputs. */
export function rowsOf(
  layers: readonly number[],
  heads: readonly number[],
  modes: readonly AblationMode[],
  randomHeads: number,
): readonly SweepRow[] {
  const drawn = Array.from({ length: randomHeads }, (_, i) => i);
  return layers.flatMap((layer) =>
    modes.flatMap((mode) => [
      ...heads.map((head) => ({ kind: "head", layer, head, mode }) as const),
      ...(setsOutputs(mode) ? drawn.map((head) => ({ kind: "random", layer, head, mode }) as const) : []),
    ]),
  );
}
