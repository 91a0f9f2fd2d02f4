import { AsyncResource } from "node:async_hooks";
import { OptionError } from "../../../tensor/index.js";
import { interruptSignal } from "../api.js";

/** Which calls wait while a handler's promise is open: all, or the newest alone. */
export type Waiting = "all" | "latest";

/**
 * A handler as the widgets call it: while a promise of it is open the next call waits, its output goes to the cell that registered
 * it (before Node 24 to the widget's cell). What it throws is told on stderr; later calls come all the same. An interrupt gives
 * up a promise that is open, and says so.
 */
export function createListener<T>(handler: (value: T) => unknown, keep: Waiting): (value: T) => void {
  let waiting: T[] = [];
  let isBusy = false;

  const work = (): void => {
    while (!isBusy && waiting.length > 0) call(waiting.shift() as T);
  };
  const call = (value: T): void => {
    try {
      const result = handler(value);
      if (!isThenable(result)) return;
      isBusy = true;
      void untilInterrupted(result).catch(report).finally(resume);
    } catch (error) {
      report(error);
    }
  };
  const resume = (): void => {
    isBusy = false;
    work();
  };
  return AsyncResource.bind((value: T): void => {
    waiting = keep === "latest" ? [value] : [...waiting, value];
    work();
  });
}

/** Throws OptionError on the name of an event that a widget does not have. */
export function checkEvent(event: string, known: string): void {
  if (event !== known) throw new OptionError(`on: unknown event "${event}"; known: ${known}`);
}

/** Rejects when an interrupt comes before the work is done. */
function untilInterrupted(work: PromiseLike<unknown>): Promise<unknown> {
  const signal = interruptSignal();
  return new Promise((resolve, reject) => {
    const giveUp = (): void =>
      reject(new Error("widgets: a handler was interrupted while it awaited; events behind it are handled now"));
    signal.addEventListener("abort", giveUp, { once: true });
    const done = (): void => signal.removeEventListener("abort", giveUp);
    void Promise.resolve(work).then(resolve, reject).finally(done);
  });
}

/** Left unhandled on purpose: the kernel tells such errors on stderr. */
function report(error: unknown): void {
  void Promise.reject(error instanceof Error ? error : new Error(String(error)));
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
