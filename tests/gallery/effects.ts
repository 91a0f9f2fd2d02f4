import { ablationTable, matrix, type AblationTablePayload, type MatrixPayload } from "attention-lab/views";
import { seeded, tokensOf } from "./headGrid.js";

const count = (length: number): readonly string[] => Array.from({ length }, (_, at) => String(at));

/** A patching map of a model that does not exist: two heads matter. */
export function syntheticPatching(): MatrixPayload {
  const random = seeded(2);
  const values = Array.from({ length: 12 }, (_, layer) =>
    Array.from({ length: 12 }, (_, head) => {
      if (layer === 11 && head === 11) return NaN;
      if (layer === 9 && head === 6) return 0.61;
      return layer === 7 && head === 3 ? -0.34 : 0.1 * (random() - 0.5);
    }),
  );
  return matrix(values, {
    title: "Activation patching of a synthetic decoder",
    measure: "share of the logit difference recovered",
    kind: "diverging",
    rows: { name: "layer", labels: count(12) },
    columns: { name: "head", labels: count(12) },
    notes: ["Means over 20 pairs."],
    provenance: { model: "synthetic, seed 2" },
  });
}

/** What each token receives in each layer, of a model that does not exist: a sink on the first. */
export function syntheticReceived(): MatrixPayload {
  const random = seeded(3);
  const labels = tokensOf(48);
  const values = Array.from({ length: 6 }, (_, layer) =>
    labels.map((_, key) => (key === 0 ? 0.2 + 0.12 * layer : 0.05 * random() + (key === 21 && layer > 2 ? 0.2 : 0))),
  );
  return matrix(values, {
    title: "Attention received in a synthetic decoder",
    measure: "attention received, mean over heads and queries",
    kind: "sequential",
    rows: { name: "layer", labels: count(6) },
    columns: { name: "token", labels },
    provenance: { model: "synthetic, seed 3" },
  });
}

/** An ablation table of a model that does not exist, in two modes. */
export function syntheticAblation(): AblationTablePayload {
  const random = seeded(4);
  const clean = Array.from({ length: 24 }, () => 3 + random());
  const rows = ["zero", "mean"].flatMap((mode) =>
    Array.from({ length: 72 }, (_, at) => {
      const [layer, head] = [Math.floor(at / 12), at % 12];
      const strength = at === 30 ? -1.4 : at === 55 ? 0.8 : at % 17 === 0 ? -0.3 : 0;
      const perPrompt = clean.map(() => strength * (0.7 + 0.6 * random()) + 0.1 * (random() - 0.5));
      const effect = perPrompt.reduce((sum, change) => sum + change, 0) / perPrompt.length;
      const p = Math.abs(effect) > 0.1 ? 0.001 : 0.2 + 0.8 * random();
      const nullShare = mode === "zero" ? 0.05 + 0.9 * random() : NaN;
      return { layer, head, mode, effect, low: effect - 0.12, high: effect + 0.12, p, q: Math.min(1, p * 8), nullShare, perPrompt }; // prettier-ignore
    }),
  );
  return ablationTable({
    title: "Head ablation of a synthetic decoder",
    metric: "logit difference",
    clean,
    rows,
    notes: ["24 prompts, 95 % bootstrap intervals, sign-flip p, Benjamini–Hochberg q, seed 4."],
    provenance: { model: "synthetic, seed 4" },
  });
}
