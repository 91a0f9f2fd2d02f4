import { Worker } from "node:worker_threads";
import type { Completions } from "./completions.js";
import type { CellDiagnostic } from "./diagnostics.js";
import type { Inspection } from "./inspection.js";
import type { FromWorker, Question, ToWorker } from "./messages.js";

/** Completion, inspection and type checks for a notebook, from a thread of their own. */
export interface Language {
  /** The cells that have run, in order; names in them are known from now on. */
  update(cells: readonly string[]): void;
  complete(code: string, cursorCodePoints: number): Promise<Completions>;
  inspect(code: string, cursorCodePoints: number, detail: 0 | 1): Promise<Inspection>;
  /** Advisory: what the type checker says about a cell that comes after all others. */
  diagnostics(code: string): Promise<readonly CellDiagnostic[]>;
  close(): Promise<void>;
}

/** A running worker, and who waits for it. */
interface Running {
  readonly worker: Worker;
  readonly waiting: Map<
    number,
    { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void }
  >;
  /** The cells that the worker has been told. */
  told: readonly string[];
}

/** The language service of one notebook; its worker starts with the first question, and again after it failed. */
export function startLanguage(options: { readonly folder: string }): Language {
  let running: Running | undefined;
  let cells: readonly string[] = [];
  let questions = 0;

  const start = (): Running => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: { folder: options.folder } });
    // A language service that thinks does not keep the kernel from ending.
    worker.unref();
    const started: Running = { worker, waiting: new Map(), told: [] };
    const fail = (error: Error): void => {
      if (running === started) running = undefined;
      for (const { reject } of started.waiting.values()) reject(error);
      started.waiting.clear();
    };
    worker.on("error", fail);
    worker.on("exit", (code) => fail(new Error(`language: the worker ended with code ${code}`)));
    worker.on("message", (reply: FromWorker) => {
      const asked = started.waiting.get(reply.id);
      started.waiting.delete(reply.id);
      if ("answer" in reply) asked?.resolve(reply.answer);
      else asked?.reject(new Error(`language: ${reply.error}`));
    });
    return started;
  };

  const ask = (question: Question): Promise<unknown> =>
    new Promise((resolve, reject) => {
      running ??= start();
      const { worker, waiting, told } = running;
      const post = (message: ToWorker): void => worker.postMessage(message);
      if (told !== cells) {
        const changed = cells.findIndex((source, index) => source !== told[index]);
        const kept = changed < 0 ? cells.length : changed;
        post({ kind: "cells", kept, added: cells.slice(kept) });
        running.told = cells;
      }
      questions += 1;
      waiting.set(questions, { resolve, reject });
      post({ kind: "question", id: questions, question });
    });

  return {
    update: (next) => void (cells = [...next]),
    complete: async (code, cursor) => (await ask({ about: "completion", code, cursor })) as Completions,
    inspect: async (code, cursor, detail) => (await ask({ about: "inspection", code, cursor, detail })) as Inspection,
    diagnostics: async (code) => (await ask({ about: "diagnostics", code })) as readonly CellDiagnostic[],
    close: async () => void (await running?.worker.terminate()),
  };
}
