import { Worker } from "node:worker_threads";
import { EngineError } from "../tensor/index.js";
import { EngineGate } from "./engineGate.js";
import type { EngineReply, EngineTask } from "./engineMessages.js";

/** What came of a task. */
export type Success = Extract<EngineReply, { ok: true }>;

interface Waiting {
  readonly resolve: (reply: Success) => void;
  readonly reject: (error: Error) => void;
}

/** Whoever performs tasks with sessions of its own. */
export interface EnginePort {
  /** Throws EngineError with onnxruntime's own message when the task fails, or with the reason when there is nobody to do it. */
  readonly ask: (task: EngineTask, transfer?: readonly ArrayBuffer[]) => Promise<Success>;
}

/** How long a process that ends waits for the run in progress. */
const exitPatienceMs = 10_000;

/**
 * The one thread that owns every onnxruntime session, started at first use.
 * It keeps the process alive only while it works, and is never terminated: that would abort the process during a run.
 * A process that exits meanwhile waits for the run in progress; what is queued behind it is dropped.
 */
export class EngineThread implements EnginePort {
  #worker: Worker | undefined;
  #nextId = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** Throws EngineError with onnxruntime's own message when the task fails or the thread dies. */
  async ask(task: EngineTask, transfer: readonly ArrayBuffer[] = []): Promise<Success> {
    const worker = this.#start();
    const id = this.#nextId++;
    return new Promise<Success>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...task, id }, transfer);
    });
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    // Flags of the calling process (`--input-type`, an inspector's port) are not meant for this thread.
    const gate = new EngineGate();
    const options = { name: "attention-lab engine", execArgv: [], workerData: gate.memory };
    const worker = new Worker(new URL("./engineWorker.js", import.meta.url), options);
    const close = (): void => gate.close(exitPatienceMs);
    process.once("exit", close);
    worker.on("message", (reply: EngineReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) worker.unref();
      if (reply.ok) waiting?.resolve(reply);
      else waiting?.reject(new EngineError(reply.message));
    });
    const fail = (why: string): void => {
      if (this.#worker === worker) this.#worker = undefined;
      const lost = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const { reject } of lost)
        reject(new EngineError(`engine: the engine thread stopped: ${why}; load the model again`));
    };
    worker.on("error", (error: unknown) => fail(error instanceof Error ? error.message : String(error)));
    worker.on("exit", (code) => {
      process.off("exit", close);
      fail(`exit code ${code}`);
    });
    this.#worker = worker;
    return worker;
  }
}

let shared: EngineThread | undefined;

/** The process's engine thread. */
export function engineThread(): EngineThread {
  shared ??= new EngineThread();
  return shared;
}
