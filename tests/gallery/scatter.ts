import { scatter, type ScatterPayload } from "attention-lab/views";
import { seeded } from "./headGrid.js";

/** Two scores of the heads of a model that does not exist: some previous-token heads early, some induction heads later. */
function syntheticRoles(): ScatterPayload {
  const random = seeded(21);
  const points = Array.from({ length: 144 }, (_, at) => {
    const [layer, head] = [Math.floor(at / 12), at % 12];
    const previous = (layer === 4 && head === 11) || (layer === 2 && head === 2);
    const induction = layer >= 5 && layer < 8 && (head === 1 || head === 5);
    return {
      x: previous ? 0.6 + 0.35 * random() : 0.02 + 0.12 * random() ** 3,
      y: induction ? 0.4 + 0.5 * random() : 0.001 + 0.05 * random() ** 2,
      head: { layer, head },
    };
  });
  return scatter(points, {
    title: "Roles of the heads of a synthetic decoder",
    xLabel: "previous token",
    yLabel: "induction",
    notes: ["20 prompts of repeated random tokens."],
    provenance: { model: "synthetic, seed 21" },
    live: { run: "synthetic", stack: "" },
  });
}

/** Things that are no heads, one without a number. */
function syntheticModels(): ScatterPayload {
  const sizes = [2e6, 15e6, 124e6, 355e6, 774e6];
  return scatter(
    sizes.map((x, at) => ({ x, y: at === 3 ? NaN : 4.2 - 0.55 * at, label: `model ${at + 1}` })),
    { title: "Loss by size of synthetic models", xLabel: "parameters", yLabel: "loss (nats)", xScale: "log" },
  );
}

/** Gallery examples by name. */
export const scatterExamples: Readonly<Record<string, () => ScatterPayload>> = {
  sizes: syntheticModels,
  roles: syntheticRoles,
};
