import { EngineError, showWith } from "../tensor/index.js";
import { curves, curvesMime } from "../views/index.js";
import type { CurvesPayload, Provenance } from "../views/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Evaluation, Identity, State } from "./checkpoint.js";
import { curveText } from "./curveText.js";
import type { Layout } from "./layout.js";

export interface FitParts {
  readonly title: string;
  readonly layout: Layout;
  readonly state: State;
  readonly identity: Identity;
  /** Steps that were asked for. */
  readonly asked: number;
}

/** Parameters after some steps, and what was measured on the way. Immutable; shows its loss. */
export class Fit {
  readonly title: string;
  /** Steps done. */
  readonly steps: number;
  readonly asked: number;
  /** The loss of each step, before its change. */
  readonly losses: Float32Array;
  /** The length of the slopes at each step, before they are cut. */
  readonly norms: Float32Array;
  /** The rate of each step. */
  readonly rates: Float32Array;
  /** What else the loss function returned, by name. */
  readonly metrics: Readonly<Record<string, Float32Array>>;
  readonly evaluations: readonly Evaluation[];
  /** All that is needed to go on. */
  readonly parts: () => FitParts;

  constructor(parts: FitParts) {
    const { loss, norm, rate, ...metrics } = parts.state.curves;
    this.title = parts.title;
    this.losses = loss;
    this.norms = norm;
    this.rates = rate ?? new Float32Array(0);
    this.metrics = metrics;
    this.steps = loss.length;
    this.asked = parts.asked;
    this.evaluations = parts.state.evaluations;
    this.parts = () => parts;
  }

  /** Whether all steps are done; a run that was interrupted goes on with `{ from: fit }`. */
  get isFinished(): boolean {
    return this.steps >= this.asked;
  }

  get parameters(): Readonly<Record<string, Tensor<"float32">>> {
    const { layout, state } = this.parts();
    return layout.unpack(state.blocks["weights"]);
  }

  /** Mean of the loss, or of a metric, over the last steps; NaN before the first. */
  recent(name = "loss", steps = 20): number {
    const curve = name === "loss" ? this.losses : this.metrics[name];
    const last = curve.slice(-steps);
    return last.reduce((sum, x) => sum + x, 0) / last.length;
  }

  /** Loss and metrics by step, as curves. */
  get payload(): CurvesPayload | undefined {
    const { title, losses, metrics, steps } = this;
    if (steps === 0) return undefined;
    const x = Float64Array.from({ length: steps }, (_, step) => step);
    const all = [["loss", losses] as const, ...Object.entries(metrics)];
    return curves(
      all.map(([name, y]) => ({ name, x, y })),
      {
        ...{ title, xLabel: "step", points: 4000 },
        provenance: { steps, ...madeOf(this.parts().identity) },
      },
    );
  }

  /** What happened, in a few lines. */
  describe(): string {
    const { title, steps, asked, losses, metrics, evaluations } = this;
    const head = `${title}: ${steps} of ${asked} steps${this.isFinished ? "" : ", stopped"}`;
    const lines = [["loss", losses] as const, ...Object.entries(metrics)].map(([name, curve]) =>
      curveText(name, curve),
    );
    const last = evaluations.at(-1);
    const said = Object.entries(last?.values ?? {}).map(([name, x]) => `${name} ${Number(x.toPrecision(4))}`);
    return [head, ...lines, ...(last ? [`after ${last.step} steps: ${said.join(", ")}`] : [])].join("\n");
  }
}

/** What a run was made of: its rule, and fingerprints of its graph, its first parameters and its first batch. */
function madeOf(identity: Identity): Provenance {
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return Object.fromEntries(["optimiser", "graph", "start", "batch"].map((name) => [name, text(identity[name])]));
}

/** What a run shows in a notebook: its curves, and a summary in text. */
export function fitBundle(fit: Fit): Readonly<Record<string, unknown>> {
  const { payload } = fit;
  return { ...(payload ? { [curvesMime]: payload } : {}), "text/plain": fit.describe() };
}

showWith(Fit.prototype, fitBundle);

/** The loss, or its slopes, stopped being numbers. What was reached before is in `fit`. */
export class DivergedError extends Error {
  override readonly name: string = "DivergedError";
  /** The run as it was before. */
  readonly fit: Fit;

  constructor(message: string, fit: Fit) {
    super(message);
    this.fit = fit;
  }
}

/** A step could not be run: there was too little memory, or the engine is gone. What was reached before is in `fit`. */
export class FailedStepError extends EngineError {
  override readonly name: string = "FailedStepError";
  /** The run as it was before; `{ from: fit }` goes on. */
  readonly fit: Fit;

  constructor(message: string, fit: Fit, cause: unknown) {
    super(message, { cause });
    this.fit = fit;
  }
}
