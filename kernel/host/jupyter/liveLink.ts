import { setImmediate } from "node:timers/promises";
import type { Comm, CommMessage, Kernel } from "./api.js";
import type { JsonObject } from "./channel.js";

/** The target of the comm over which a figure asks about its run; `extension/src/link/liveLink.ts` is its other end. */
export const liveTarget = "attention-lab.v1";

interface Answer {
  readonly data: JsonObject;
  readonly buffers?: readonly Uint8Array[];
}

interface Settings {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => Promise<void>;
}

/** What figures may ask, and where the runs are that they ask about. */
export interface LiveRuns<Run> {
  readonly find: (name: string) => Run | undefined;
  /** Answered at once. */
  readonly questions: Readonly<Record<string, (run: Run, asked: JsonObject) => Answer>>;
  /** Answered one after another. */
  readonly experiments: Readonly<Record<string, (run: Run, asked: JsonObject, settings: Settings) => Promise<Answer>>>;
}

const answering = new WeakSet<Kernel>();

/**
 * Answers figures that ask about runs, from now on; once per kernel.
 *
 * A message `{ seq, ask, run, … }` is answered at once by `{ seq, state: "heard" }` where the answer takes time, then by
 * `{ seq, state: "at work", done, total }`, and at last by one of `{ seq, state: "done", … }` with buffers,
 * `{ seq, state: "gone" }` for a run that this kernel does not hold, `{ seq, state: "failed", reason }` and
 * `{ seq, state: "cancelled" }`. `{ cancel: seq }` gives up. Slow questions are answered one after another.
 */
export function answerFigures<Run>(kernel: Kernel, runs: LiveRuns<Run>): void {
  if (answering.has(kernel)) return;
  answering.add(kernel);
  kernel.registerCommTarget(liveTarget, (comm) => serve(kernel, comm, runs));
}

function serve<Run>(kernel: Kernel, comm: Comm, { find, questions, experiments }: LiveRuns<Run>): void {
  const pending = new Map<number, AbortController>();
  let isOpen = true;
  let turn: Promise<void> = Promise.resolve();

  const send = (data: JsonObject, buffers: readonly Uint8Array[] = []): void => {
    if (isOpen) comm.send(data, { buffers });
  };

  const finish = (seq: number, { data, buffers }: Answer): void => {
    send({ seq, state: "done", ...data }, buffers);
  };

  const fail = (seq: number, error: unknown): void => {
    send({ seq, state: "failed", reason: error instanceof Error ? error.message : String(error) });
  };

  const conduct = (seq: number, experiment: (settings: Settings) => Promise<Answer>): void => {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, kernel.interruptSignal()]);
    const progress = async (done: number, total: number): Promise<void> => {
      send({ seq, state: "at work", done, total });
      await setImmediate();
      signal.throwIfAborted();
    };
    pending.set(seq, controller);
    send({ seq, state: "heard" });
    const given = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    // Giving up is answered at once; what comes of the work afterwards is dropped.
    const end = (say: () => void): void => {
      if (pending.delete(seq)) say();
    };
    void given.then(() => end(() => send({ seq, state: "cancelled" })));
    const work = async (): Promise<void> => {
      if (!pending.has(seq)) return;
      try {
        const answer = await experiment({ signal, progress });
        end(() => finish(seq, answer));
      } catch (error) {
        if (!signal.aborted) end(() => fail(seq, error));
      }
    };
    turn = turn.then(() => Promise.race([work(), given]));
  };

  const ask = (seq: number, asked: JsonObject): void => {
    const name = String(asked["ask"]);
    const run = find(String(asked["run"]));
    const question = Object.hasOwn(questions, name) ? questions[name] : undefined;
    const experiment = Object.hasOwn(experiments, name) ? experiments[name] : undefined;
    if (!question && !experiment) return fail(seq, `live link: no question "${name}"`);
    if (!run) return send({ seq, state: "gone" });
    if (experiment) return conduct(seq, (settings) => experiment(run, asked, settings));
    try {
      if (question) finish(seq, question(run, asked));
    } catch (error) {
      fail(seq, error);
    }
  };

  const receive = ({ data }: CommMessage): void => {
    const { seq, cancel, ...asked } = (data ?? {}) as JsonObject;
    if (typeof cancel === "number") return pending.get(cancel)?.abort();
    if (typeof seq === "number") ask(seq, asked);
  };

  comm.onMessage(receive);
  comm.onClose(() => {
    isOpen = false;
    for (const controller of pending.values()) controller.abort();
  });
}
