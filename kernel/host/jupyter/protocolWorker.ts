import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { shared, weightOf, type Question, type ToMain, type ToWorker, type WorkerStart } from "./channel.js";
import { createCommRegistry, isCommType } from "./commRegistry.js";
import { readConnection } from "./connection.js";
import { createExecutions } from "./executions.js";
import { createHistory } from "./history.js";
import { createInterrupter } from "./interrupts.js";
import { createIopub } from "./iopub.js";
import { kernelInfo } from "./kernelInfo.js";
import { createLanguageRequests } from "./languageRequests.js";
import { watchParent } from "./parentPoller.js";
import { openSockets, type RequestChannel } from "./sockets.js";
import { createTypeAdvice } from "./typeAdvice.js";
import { createTypeLink } from "./typeLink.js";
import { createWire, type Incoming, type JsonObject } from "./wire.js";

const { connectionFile, shared: memory } = workerData as WorkerStart;
if (!parentPort) throw new Error("protocol worker: started outside a worker thread");
const port = parentPort;
const flags = new Int32Array(memory);
const connection = readConnection(connectionFile);

/** Type errors that nobody asked for can be switched off; `// @check` stays. */
const givesAdvice = process.env["ATTENTION_LAB_CHECK"] !== "off";
/** The sockets close at the latest this long after the kernel was told to end. */
const closeMs = 1000;
const standardError = 2;
/** A main thread that has not begun to end by itself is ended. */
const shutdownMs = 2500;

const complain = (error: unknown): void => {
  // Straight to the server's log: the stream would pass through the main thread, into the output of a cell.
  writeSync(standardError, `kernel: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
};
const toMain = (message: ToMain, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, [...transfer]);

const wire = createWire(connection.key);
const sockets = await openSockets(connection, complain);
const iopub = createIopub(wire, sockets.outbox.iopub);
const history = createHistory();
const comms = createCommRegistry();
const language = createLanguageRequests((before) => history.sources(before));
const interrupter = createInterrupter(flags, () => toMain({ kind: "interrupt" }));
const channels = new WeakMap<Incoming, RequestChannel>();
const reply = (request: Incoming, type: string, content: JsonObject, metadata?: JsonObject): void => {
  const message = { identities: request.identities, type, parent: request.header, content };
  sockets.outbox[channels.get(request) ?? "shell"].push(wire.encode(metadata ? { ...message, metadata } : message));
};
const typeLink = createTypeLink({
  language,
  send: (parent, content) => iopub.publish({ parent, type: "comm_msg", content }),
  failed: complain,
});
const advice = createTypeAdvice({
  language,
  isTold: (session) => typeLink.isOpenTo(session),
  isComputing: () => executions.running() !== undefined,
  display: (parent, content) => iopub.publish({ parent, type: "display_data", content }),
  failed: complain,
});
const executions = createExecutions({
  iopub,
  history,
  reply,
  run: (order) => toMain(order),
  ...(givesAdvice ? { advice } : {}),
});
let inputToken: number | undefined;
let closing: Promise<void> | undefined;
let deadline: NodeJS.Timeout | undefined;

function receive(channel: RequestChannel, frames: readonly Uint8Array[]): void {
  const request = wire.decode(frames);
  if (!request) return;
  channels.set(request, channel);
  const type = request.header.msg_type;
  if (channel === "stdin") return receiveInput(request);
  if (type === "execute_request") return executions.submit(request);
  const handle = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
  if (handle || isCommType(type)) void respond(request, handle ?? (() => receiveComm(request)));
}

/** Busy, the reply, idle; while a cell computes, `busy` is said again for it, since clients show the last state. */
async function respond(request: Incoming, handle: Handler): Promise<void> {
  iopub.status(request.header, "busy");
  try {
    const content = await handle(request);
    if (content) reply(request, request.header.msg_type.replace(/_request$/, "_reply"), content);
  } catch (error) {
    const [ename, evalue] = error instanceof Error ? [error.name, error.message] : ["Error", String(error)];
    const content = { status: "error", ename, evalue, traceback: [`${ename}: ${evalue}`] };
    reply(request, request.header.msg_type.replace(/_request$/, "_reply"), content);
  }
  iopub.status(request.header, "idle");
  const running = executions.running();
  if (running) iopub.status(running.header, "busy");
}

type Handler = (request: Incoming) => JsonObject | undefined | Promise<JsonObject | undefined>;

const handlers: Readonly<Record<string, Handler>> = {
  kernel_info_request: () => kernelInfo,
  connect_request: () => {
    const { shell, iopub: publisher, stdin, control, heartbeat } = connection;
    const ports = {
      shell_port: shell,
      iopub_port: publisher,
      stdin_port: stdin,
      control_port: control,
      hb_port: heartbeat,
    };
    return { status: "ok", ...ports };
  },
  history_request: ({ content }) => ({ status: "ok", history: history.find(content) }),
  comm_info_request: ({ content }) => comms.info(content["target_name"]),
  is_complete_request: async ({ content }) => {
    // The parser is loaded with the first question; notebooks never ask.
    const { completeness } = await import("./cells/completeness.js");
    return { ...completeness(textOf(content["code"])) };
  },
  complete_request: ({ content }) => language.complete(textOf(content["code"]), content["cursor_pos"]),
  inspect_request: ({ content }) =>
    language.inspect(textOf(content["code"]), content["cursor_pos"], content["detail_level"] === 1 ? 1 : 0),
  interrupt_request: async () => {
    await interrupter.interrupt();
    return { status: "ok" };
  },
  shutdown_request: (request) => {
    const content = { status: "ok", restart: request.content["restart"] === true };
    iopub.publish({ parent: request.header, type: "shutdown_reply", content });
    setImmediate(shutDown);
    return content;
  },
};

function receiveComm(message: Incoming): undefined {
  const { header, content, metadata, buffers } = message;
  if (!isCommType(header.msg_type) || typeof content["comm_id"] !== "string") return;
  comms.follow(header.msg_type, content);
  if (givesAdvice && typeLink.receive(message)) return;
  const copies = buffers.map((buffer) => new Uint8Array(buffer).buffer);
  toMain({ kind: "comm", type: header.msg_type, content, metadata, buffers: copies }, copies);
}

function receiveInput({ header, content }: Incoming): void {
  if (header.msg_type !== "input_reply" || inputToken === undefined) return;
  toMain({ kind: "answer", token: inputToken, value: textOf(content["value"]) });
  inputToken = undefined;
}

function answer(token: number, question: Question): void {
  if (question.about === "types") {
    const found = language.errors(question.code);
    void found.then((value) => toMain({ kind: "answer", token, value })).catch(complain);
    return;
  }
  const request = executions.requestOf(question.request);
  if (!request) return;
  inputToken = token;
  const { prompt, password } = question;
  const message = { type: "input_request", parent: request.header, content: { prompt, password } };
  sockets.outbox.stdin.push(wire.encode({ identities: request.identities, ...message }));
}

port.on("message", (message: ToWorker) => {
  const weight = weightOf(message);
  const sent = (): void => {
    Atomics.sub(flags, shared.pendingBytes, weight);
    Atomics.notify(flags, shared.pendingBytes);
  };
  switch (message.kind) {
    case "stream":
      return iopub.stream(executions.headerOf(message.request), message.name, message.text, sent);
    case "publish": {
      const { kind: _kind, request, buffers, ...rest } = message;
      const parent = executions.headerOf(request);
      if (isCommType(rest.type)) comms.follow(rest.type, JSON.parse(rest.content) as JsonObject);
      return iopub.publish({ parent, ...rest, buffers: buffers?.map((buffer) => new Uint8Array(buffer)) ?? [] }, sent);
    }
    case "done":
      return executions.done(message.content);
    case "ready":
      return interrupter.ready();
    case "interrupted":
      return interrupter.heard();
    case "ask":
      return answer(message.token, message.question);
    case "exit":
      clearTimeout(deadline);
      executions.abandon({ ename: "Exit", evalue: `the cell ended the kernel with exit code ${message.code}` });
      void close();
  }
});

/** Closes the sockets, which must happen before the process exits: with open ones the exit aborts. */
function close(): Promise<void> {
  closing ??= sockets.close(closeMs).finally(() => {
    interrupter.close();
    Atomics.store(flags, shared.closed, 1);
    Atomics.notify(flags, shared.closed);
  });
  return closing;
}

/** Ends the process; a main thread that computes on has no say in it. */
function shutDown(): void {
  toMain({ kind: "shutdown" });
  deadline ??= setTimeout(() => void close().then(() => process.kill(process.pid, "SIGKILL")), shutdownMs);
}

let isAnnounced = false;
// Last: a client may have subscribed and asked while the modules above were set up.
sockets.listen({
  request: receive,
  subscribed: (topic) => {
    iopub.welcome(topic);
    // Said once, and to somebody: what is published before the first client listens is lost.
    if (!isAnnounced) iopub.status(undefined, "starting");
    isAnnounced = true;
  },
});
watchParent(shutDown);

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
