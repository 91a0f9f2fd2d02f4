import type { CancelSignal } from "../graph/index.js";
import { EngineError } from "../tensor/index.js";

/** Rejects at the abort; what was started goes on and its result is discarded. */
export async function untilAbort<T>(work: Promise<T>, signal: CancelSignal | undefined): Promise<T> {
  if (!signal) return work;
  const reason = (): Error =>
    signal.reason instanceof Error ? signal.reason : new EngineError("engine: the run was interrupted");
  if (signal.aborted) {
    work.catch(() => undefined);
    throw reason();
  }
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(reason());
    signal.addEventListener("abort", abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
