import { Session } from "node:inspector";
import { shared } from "./channel.js";

/** Stops what the main thread is doing, as gently as it lets itself be stopped. */
export interface Interrupter {
  /** Resolves when the main thread is free again, or after `patienceMs`. */
  interrupt(): Promise<void>;
  /** The main thread has heard of the interrupt: it is back in its event loop. */
  heard(): void;
  /** From now on the main thread may be terminated; while it loads its modules it must not be. */
  ready(): void;
  close(): void;
}

/** How long loop guards and rejected promises have before execution is terminated. */
const graceMs = 150;
const repeatMs = 150;
/** The reply to an interrupt never waits longer. */
const patienceMs = 800;
/** Native code that does not return within this time is left to finish. */
const giveUpMs = 120_000;

/**
 * The ladder: count the interrupt where loop guards see it and tell the main thread, which rejects the cell;
 * if the main thread does not answer, terminate what it executes, again and again until it does.
 *
 * Termination cannot be caught by `try`, and the kernel's state survives it.
 */
export function createInterrupter(flags: Int32Array, tellMain: () => void): Interrupter {
  let session: Session | undefined;
  let pending: { readonly heard: Promise<void>; readonly resolve: () => void; readonly began: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isReady = false;
  let rungs = 0;

  const connected = (): Session => {
    if (!session) {
      session = new Session();
      session.connectToMainThread();
    }
    return session;
  };

  const isPending = (): boolean => pending !== undefined && performance.now() - pending.began < giveUpMs;

  const escalate = (): void => {
    const current = pending;
    // After what the main thread may have said meanwhile: on a busy machine its answer and this timer are due at once.
    setImmediate(() => {
      if (pending !== current || !isPending()) return;
      // It is told again in between: a termination may have hit the very handler of the message.
      if (rungs++ % 2 === 1) tellMain();
      else if (isReady) connected().post("Runtime.terminateExecution", () => undefined);
      timer = setTimeout(escalate, repeatMs);
    });
  };

  return {
    async interrupt() {
      Atomics.add(flags, shared.interrupts, 1);
      Atomics.notify(flags, shared.interrupts);
      tellMain();
      if (!isPending()) {
        rungs = 0;
        const { promise, resolve } = deferred();
        pending = { heard: promise, resolve, began: performance.now() };
        clearTimeout(timer);
        timer = setTimeout(escalate, graceMs);
      }
      await Promise.race([pending?.heard, new Promise((resolve) => setTimeout(resolve, patienceMs))]);
    },
    heard() {
      clearTimeout(timer);
      pending?.resolve();
      pending = undefined;
    },
    ready: () => void (isReady = true),
    close: () => session?.disconnect(),
  };
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
