import type { Worker } from "node:worker_threads";
import { shared, weightOf, type Question, type ToWorker } from "./channel.js";

/** The main thread's end of the channel to the protocol worker. */
export interface Link {
  /** Hands a message over; waits while the sockets are `windowBytes` behind. */
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  ask(question: Question, signal: AbortSignal): Promise<unknown>;
  answered(token: number, value: unknown): void;
}

/** Output may run ahead of the sockets by this much; a flood then runs at their pace. */
const windowBytes = 64 << 20;
const waitMs = 100;

export function createLink(worker: Worker, flags: Int32Array): Link {
  const waiting = new Map<number, (value: unknown) => void>();
  let lastToken = 0;

  const post = (message: ToWorker, transfer: readonly ArrayBuffer[] = []): void => {
    const weight = weightOf(message);
    if (weight > 0) {
      for (let pending = load(); pending > windowBytes && !isClosed(); pending = load()) {
        Atomics.wait(flags, shared.pendingBytes, pending, waitMs);
      }
      Atomics.add(flags, shared.pendingBytes, weight);
    }
    worker.postMessage(message, [...transfer]);
  };
  const isClosed = (): boolean => Atomics.load(flags, shared.closed) === 1;
  const load = (): number => Atomics.load(flags, shared.pendingBytes);

  return {
    post,
    ask(question, signal) {
      return new Promise((resolve, reject) => {
        const token = ++lastToken;
        const forget = (): void => {
          waiting.delete(token);
          reject(signal.reason as Error);
        };
        if (signal.aborted) return forget();
        signal.addEventListener("abort", forget, { once: true });
        waiting.set(token, (value) => {
          signal.removeEventListener("abort", forget);
          resolve(value);
        });
        post({ kind: "ask", token, question });
      });
    },
    answered(token, value) {
      waiting.get(token)?.(value);
      waiting.delete(token);
    },
  };
}
