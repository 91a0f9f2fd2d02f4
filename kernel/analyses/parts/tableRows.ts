import type { AblationRow } from "../ablationTable.js";
import { bootstrapInterval, falseDiscoveryRates, meanOf, signFlipP } from "./statistics.js";
import type { SweepRow } from "./sweepRows.js";

/** The statistics of a sweep: one row per head and mode. */
export function tableRows(effects: ReadonlyMap<SweepRow, readonly number[]>, seed: number): readonly AblationRow[] {
  const all = [...effects].map(([row, perPrompt]) => ({ row, perPrompt, effect: meanOf(perPrompt) }));
  const heads = all.filter(({ row }) => row.kind === "head");
  const ps = heads.map(({ perPrompt }) => signFlipP(perPrompt, seed));
  const qs = new Array<number>(heads.length);
  for (const mode of new Set(heads.map(({ row }) => row.mode))) {
    const ofMode = heads.flatMap(({ row }, i) => (row.mode === mode ? [i] : []));
    falseDiscoveryRates(ofMode.map((i) => ps[i])).forEach((q, at) => (qs[ofMode[at]] = q));
  }
  return heads.map(({ row: { layer, head, mode }, perPrompt, effect }, i) => {
    const [low, high] = bootstrapInterval(perPrompt, seed);
    const nulls = all.filter(({ row }) => row.kind === "random" && row.layer === layer && row.mode === mode);
    const larger = nulls.filter((other) => Math.abs(other.effect) >= Math.abs(effect)).length;
    const nullShare = nulls.length === 0 ? NaN : (1 + larger) / (1 + nulls.length);
    return { layer, head, mode, effect, low, high, p: ps[i], q: qs[i], nullShare, perPrompt };
  });
}
