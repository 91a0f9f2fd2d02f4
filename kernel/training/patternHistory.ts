import type { Model, Run } from "../models/index.js";
import { sizesOnly } from "../models/runGrids.js";
import { OptionError, showWith } from "../tensor/index.js";
import type { HeadGridPayload } from "../views/index.js";
import { headGrid, headGridMime, headGridText } from "../views/index.js";

/** The patterns of a model at several steps of its training: one head grid whose samples are the steps. */
export class PatternHistory {
  readonly payload: HeadGridPayload;

  constructor(payload: HeadGridPayload) {
    this.payload = payload;
  }
}

showWith(PatternHistory.prototype, ({ payload }) => ({ [headGridMime]: payload, "text/plain": headGridText(payload) }));

/** See `Trained.patterns`. */
export async function patternHistory(
  title: string,
  { layers, heads, causal }: Pick<Model, "layers" | "heads" | "causal">,
  snapshots: readonly { readonly step: number; readonly run: Run }[],
): Promise<PatternHistory> {
  if (snapshots.length === 0)
    throw new OptionError("patterns: no steps were kept; pass capture: { steps: [0, 100, 500] } to train");
  const { provenance } = await snapshots[0].run.heading();
  const signed = snapshots.some(({ run }) => run.isSigned);
  const samples = snapshots
    .toSorted((a, b) => a.step - b.step)
    .map(({ step, run }) => ({
      text: `after ${step} steps`,
      queryTokens: run.realTokens(0),
      keyTokens: run.realTokens(0),
      pattern: (layer: number, head: number): Float32Array => {
        const { data } = run.headPattern({ layer, head });
        return signed ? data.map(Math.abs) : data;
      },
    }));
  return new PatternHistory(
    headGrid({
      title: `${title}, while it learned${signed ? ` · ${sizesOnly}` : ""}`,
      layers,
      heads,
      causal,
      samples,
      provenance,
    }),
  );
}
