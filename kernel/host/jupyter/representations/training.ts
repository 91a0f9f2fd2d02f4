import { randomUUID } from "node:crypto";
import { kernel } from "../api.js";

/** A run of training as far as it is shown. */
interface Shown {
  readonly steps: number;
  readonly asked: number;
  readonly describe: () => string;
}

interface Pace {
  readonly msPerStep: number;
}

/** The curve is drawn this often at most. */
const intervalMs = 500;

function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The run in text, with its pace and how long it will go on. */
export function trainingText(fit: Shown, { msPerStep }: Pace): string {
  if (!Number.isFinite(msPerStep)) return fit.describe();
  const left = (fit.asked - fit.steps) * msPerStep;
  const pace = `${Number(msPerStep.toPrecision(3))} ms a step`;
  return `${fit.describe()}\n${pace}${left > 0 ? `, about ${duration(left)} left; interrupt the cell to stop and keep what is there` : ""}`;
}

/**
 * Shows the curves of a run below the cell while they grow. What is left at the end is the run itself, without its pace;
 * outside a kernel nothing is shown.
 */
export function reportTraining(): {
  readonly update: (fit: Shown, pace: Pace) => void;
  readonly finish: (fit: Shown, pace: Pace) => void;
} {
  const running = kernel();
  const id = randomUUID();
  let shownAt = -Infinity;
  const show = (text: string): void => {
    if (!running) return;
    const bundle = { "text/plain": text };
    if (shownAt === -Infinity) void running.display(bundle, { id, raw: true });
    else void running.updateDisplay(id, bundle, { raw: true });
    shownAt = performance.now();
  };
  return {
    update: (fit, pace) => {
      if (performance.now() - shownAt >= intervalMs) show(trainingText(fit, pace));
    },
    finish: (fit, { msPerStep }) => show(`${fit.describe()}\n${Number(msPerStep.toPrecision(3))} ms a step`),
  };
}
