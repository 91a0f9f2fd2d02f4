import type { ExecuteOrder, ReplyContent } from "./channel.js";
import type { History } from "./history.js";
import type { Iopub } from "./iopub.js";
import type { NumberedCell, TypeAdvice } from "./typeAdvice.js";
import type { Header, Incoming, JsonObject } from "./wire.js";

/** The queue of `execute_request`s: one runs, the others wait. */
export interface Executions {
  submit(request: Incoming): void;
  /** The main thread has finished the running request. */
  done(content: ReplyContent): void;
  /** Ends the running request and aborts the others, without the main thread: the kernel is going down. */
  abandon(reason: { readonly ename: string; readonly evalue: string }): void;
  running(): Incoming | undefined;
  headerOf(request: number): Header | undefined;
  requestOf(request: number): Incoming | undefined;
}

export interface ExecutionPorts {
  readonly iopub: Iopub;
  readonly history: History;
  readonly reply: (request: Incoming, type: string, content: JsonObject, metadata?: JsonObject) => void;
  readonly run: (order: ExecuteOrder) => void;
  /** Learns of the cells that get a number. */
  readonly advice?: TypeAdvice | undefined;
}

/**
 * The reply of a failed request waits this long. What reaches the queue before the client can have seen it
 * was sent without knowledge of the failure, and is aborted where `stop_on_error` holds.
 */
const abortCollectMs = 20;
/** Late output of requests older than this many goes to the most recent one. */
const rememberedRequests = 10_000;

export function createExecutions({ iopub, history, reply, run, advice }: ExecutionPorts): Executions {
  let queue: Incoming[] = [];
  let current:
    | { readonly request: Incoming; readonly count: number; readonly stored: boolean; readonly began: string }
    | undefined;
  let executionCount = 0;
  let cells = 0;
  let serial = 0;
  const requests = new Map<number, Incoming>();

  const next = (): void => {
    const request = current ? undefined : queue.shift();
    if (!request) return;
    const { content, header } = request;
    const silent = content["silent"] === true;
    const stored = !silent && content["store_history"] !== false;
    const code = codeOf(request);
    if (stored) history.add(++executionCount, code);
    cells++;
    requests.set(++serial, { ...request, content: {}, buffers: [] });
    requests.delete(serial - rememberedRequests);
    current = { request, count: executionCount, stored, began: new Date().toISOString() };
    if (stored) advice?.began(numbered(request, executionCount));
    iopub.status(header, "busy");
    if (!silent) {
      iopub.publish({ parent: header, type: "execute_input", content: { code, execution_count: executionCount } });
    }
    run({
      kind: "execute",
      request: serial,
      code,
      // The name that stack frames carry: the number beside the cell, as long as there is one.
      name: stored ? `cell[${executionCount}].ts` : `cell[${executionCount}.${cells}].ts`,
      count: executionCount,
      silent,
      allowStdin: content["allow_stdin"] === true,
      expressions: asExpressions(content["user_expressions"]),
    });
  };

  const finish = (content: ReplyContent): void => {
    if (!current) return;
    const { request, count, stored, began } = current;
    const { status } = content;
    const details =
      content.status === "ok" ? { user_expressions: content.expressions } : { ...content, user_expressions: {} };
    if (stored && content.status === "ok" && content.text !== undefined) history.setOutput(count, content.text);
    const metadata = { started: began, dependencies_met: true, engine: "", status };
    reply(request, "execute_reply", { ...details, status, execution_count: count, payload: [] }, metadata);
    iopub.status(request.header, "idle");
    current = undefined;
    if (stored) advice?.ended(numbered(request, count));
  };

  const abort = (request: Incoming): void => {
    iopub.status(request.header, "busy");
    reply(request, "execute_reply", {
      status: "aborted",
      execution_count: executionCount,
      payload: [],
      user_expressions: {},
    });
    iopub.status(request.header, "idle");
  };

  const abortQueue = (): void => {
    const aborted = queue;
    queue = [];
    aborted.forEach(abort);
  };

  return {
    submit(request) {
      queue.push(request);
      next();
    },
    done(content) {
      const stops = content.status === "error" && current?.request.content["stop_on_error"] !== false;
      const conclude = (): void => {
        finish(content);
        if (stops) abortQueue();
        next();
      };
      if (stops) setTimeout(conclude, abortCollectMs);
      else conclude();
    },
    abandon({ ename, evalue }) {
      finish({ status: "error", ename, evalue, traceback: [`${ename}: ${evalue}`] });
      abortQueue();
    },
    running: () => current?.request,
    headerOf: (request) => (requests.get(request) ?? requests.get(serial))?.header,
    requestOf: (request) => requests.get(request),
  };
}

function codeOf({ content }: Incoming): string {
  return typeof content["code"] === "string" ? content["code"] : "";
}

/** JupyterLab and Notebook say in the metadata which cell they run. */
function numbered(request: Incoming, count: number): NumberedCell {
  const { cellId } = request.metadata;
  return { header: request.header, id: typeof cellId === "string" ? cellId : undefined, count, code: codeOf(request) };
}

function asExpressions(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
