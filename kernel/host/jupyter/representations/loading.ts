import { randomUUID } from "node:crypto";
import { kernel } from "../api.js";

/** Below this size a graph is there before one has read the line. */
const largeBytes = 5e8;
const intervalMs = 1000;

/** One load that has begun. */
export interface Load {
  readonly sizeBytes: number;
  readonly device: string;
  /** Settles when it is over. */
  readonly loaded: Promise<unknown>;
}

/**
 * Says below the running cell that something large is loading, for how long already, and at last how long it took.
 * Nothing outside a kernel, nor for what takes less than a second.
 */
export function announceLoad({ sizeBytes, device, loaded }: Load): void {
  const running = kernel();
  if (!running || sizeBytes < largeBytes) return;
  const id = randomUUID();
  const began = performance.now();
  const what = `${(sizeBytes / 1e9).toFixed(1)} GB on ${device}`;
  let isShown = false;
  const show = (text: string): void => {
    const bundle = { "text/plain": text };
    void (isShown ? running.updateDisplay(id, bundle, { raw: true }) : running.display(bundle, { id, raw: true }));
    isShown = true;
  };
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(0)} s`;
  const timer = setInterval(() => show(`loading ${what} … ${seconds()}`), intervalMs).unref();
  const end = (verb: string) => (): void => {
    clearInterval(timer);
    if (isShown) show(`${verb} ${what} after ${seconds()}`);
  };
  loaded.then(end("loaded"), end("could not load"));
}
