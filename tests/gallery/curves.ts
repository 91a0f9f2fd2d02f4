import { curves, type CurvesPayload } from "attention-lab/views";
import { seeded } from "./headGrid.js";

const steps = Array.from({ length: 400 }, (_, step) => step * 5);

/** A loss that falls with noise, and its interval. */
function fallingLoss(seed: number, floor: number): { y: number[]; ci: [number, number][] } {
  const random = seeded(seed);
  const y = steps.map((step) => floor + (3 - floor) * Math.exp(-step / 350) * (0.9 + 0.2 * random()) + 0.02 * random());
  return { y, ci: y.map((loss) => [loss * 0.88, loss * 1.12]) };
}

/** Gallery examples by name. */
export const curvesExamples: Readonly<Record<string, () => CurvesPayload>> = {
  training: () =>
    curves(
      ["softmax", "linear", "sink logit"].map((name, i) => ({ name, x: steps, ...fallingLoss(i + 1, 0.05 + 0.2 * i) })),
      {
        title: "Training on copying, three mechanisms",
        xLabel: "step",
        yLabel: "loss (nats)",
        yScale: "log",
        notes: ["Bands are 95 % intervals over 5 seeds."],
        provenance: { task: "copying", seed: 1 },
      },
    ),
  steps: () =>
    curves(
      [0, 1, 2].map((key) => ({
        name: `key ${key}`,
        x: [0, 0.1, 0.2, 0.4, 0.7, 1],
        y: [1, 0.8, 0.55, 0.3, 0.1, 0].map((rate) => rate / (1 + 3 * key)),
      })),
      {
        title: "Sinks of a synthetic decoder",
        xLabel: "threshold ε",
        yLabel: "share of heads with α > ε",
        shape: "step",
      },
    ),
};
