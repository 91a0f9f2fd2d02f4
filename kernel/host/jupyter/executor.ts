import { setMaxListeners } from "node:events";
import type { CellScope, CellScopes } from "./cellScope.js";
import type { FrameMapper } from "./cells/frames.js";
import { InterruptError } from "./cells/runtime.js";
import { transformCell } from "./cells/transform.js";
import type { ErrorContent, ExecuteOrder, JsonObject, ReplyContent } from "./channel.js";
import type { Evaluation, Evaluator } from "./evaluator.js";
import type { TypeFinding } from "./languageRequests.js";
import type { Link } from "./link.js";
import type { Outputs } from "./outputs.js";

/** Runs cells, one at a time. */
export interface Executor {
  execute(order: ExecuteOrder): Promise<void>;
  /** Rejects what the running cell awaits, aborts its signal and those of cells that have ended. */
  interrupt(): void;
}

export interface ExecutorParts {
  readonly link: Link;
  readonly scopes: CellScopes;
  readonly frames: FrameMapper;
  readonly evaluator: Evaluator;
  readonly outputs: Outputs;
}

interface Running {
  readonly controller: AbortController;
  /** Ends the request without looking at what it left. */
  readonly giveUp: () => void;
}

/** An interrupted request that has not ended by then was terminated while its result was being described. */
const giveUpMs = 500;
const interrupted: ErrorContent = {
  ename: "InterruptError",
  evalue: "interrupted",
  traceback: ["InterruptError: interrupted"],
};

type Failure = Evaluation & { readonly ok: false };
type Outcome = { readonly ok: true; readonly expressions: JsonObject; readonly text: string | undefined } | Failure;

export function createExecutor({ link, scopes, frames, evaluator, outputs }: ExecutorParts): Executor {
  let running: Running | undefined;
  /** For what works on behalf of a cell that has ended: handlers and timers. */
  let afterwards = newController();

  const evaluate = async (source: string, name: string, signal: AbortSignal): Promise<Evaluation> => {
    let cell;
    try {
      cell = transformCell(source, { name });
    } catch (error) {
      return { ok: false, error };
    }
    frames.add(cell);
    if (cell.strict) {
      const found = (await link.ask({ about: "types", code: source }, signal)) as readonly TypeFinding[];
      if (found.length > 0) return { ok: false, error: typeError(found, name) };
    }
    signal.throwIfAborted();
    return evaluator.evaluate(cell.code, name);
  };

  const expressionsOf = async (order: ExecuteOrder, signal: AbortSignal): Promise<JsonObject> => {
    const results: Record<string, unknown> = {};
    for (const [key, source] of Object.entries(order.expressions)) {
      const evaluation = await evaluate(source, `expression[${key}].ts`, signal);
      results[key] = evaluation.ok
        ? { status: "ok", data: await outputs.bundleOf(evaluation.value), metadata: {} }
        : { status: "error", ...frames.error(evaluation.error, evaluation.at) };
    }
    return results;
  };

  const run = async (order: ExecuteOrder, scope: CellScope, signal: AbortSignal): Promise<Outcome> => {
    const evaluation = await evaluate(order.code, order.name, signal);
    if (!evaluation.ok) return evaluation;
    const isShown = evaluation.value !== undefined && !order.silent;
    const text = isShown ? await outputs.result(evaluation.value, order.count) : undefined;
    await Promise.allSettled(scope.unfinished);
    return { ok: true, expressions: await expressionsOf(order, signal), text };
  };

  const fail = (order: ExecuteOrder, error: ErrorContent): ReplyContent => {
    if (!order.silent) {
      link.post({ kind: "publish", request: order.request, type: "error", content: JSON.stringify(error) });
    }
    return { status: "error", ...error };
  };

  return {
    async execute(order) {
      const controller = newController();
      const { signal } = controller;
      const finish = (make: () => ReplyContent): void => {
        if (running !== current) return;
        const content = plainJson(make());
        running = undefined;
        link.post({ kind: "done", request: order.request, content });
      };
      const current: Running = { controller, giveUp: () => finish(() => fail(order, interrupted)) };
      running = current;
      const scope: CellScope = {
        request: order.request,
        allowStdin: order.allowStdin,
        get signal() {
          return running === current || signal.aborted ? signal : afterwards.signal;
        },
        unfinished: new Set(),
      };
      const aborted = new Promise<Outcome>((resolve) => {
        signal.addEventListener("abort", () => resolve({ ok: false, error: signal.reason }), { once: true });
      });
      // Runs as a task of its own: its termination takes nothing else along.
      const ran = new Promise<Outcome>((resolve) => {
        setImmediate(() => resolve(scopes.run(scope, () => run(order, scope, signal))));
      }).catch((error: unknown): Outcome => ({ ok: false, error }));
      const outcome = await Promise.race([ran, aborted]);
      finish(() => (outcome.ok ? success(outcome) : fail(order, frames.error(outcome.error, outcome.at))));
    },
    interrupt() {
      const stopped = running;
      stopped?.controller.abort(new InterruptError());
      const ended = afterwards;
      afterwards = newController();
      ended.abort(new InterruptError());
      setTimeout(() => stopped?.giveUp(), giveUpMs);
    },
  };
}

/** Any number of handlers may listen to its signal. */
function newController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

function success({ expressions, text }: Outcome & { readonly ok: true }): ReplyContent {
  return { status: "ok", expressions, ...(text === undefined ? {} : { text }) };
}

/** One error for all that the type check found; its lines point into the cell. */
function typeError(found: readonly TypeFinding[], name: string): Error {
  const lines = found.map(({ line, column, message, code }) => `${name}:${line}:${column} TS${code}: ${message}`);
  const error = new TypeError(
    `the cell has ${found.length} type error(s) and begins with // @check\n${lines.join("\n")}`,
  );
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/** What the channel cannot carry (functions in a bundle) is left out. */
function plainJson(content: ReplyContent): ReplyContent {
  try {
    return JSON.parse(JSON.stringify(content)) as ReplyContent;
  } catch (error) {
    const evalue = `a user expression has no JSON form; ${error instanceof Error ? error.message : String(error)}`;
    return { status: "error", ename: "TypeError", evalue, traceback: [evalue] };
  }
}
