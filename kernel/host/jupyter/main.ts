import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { shared, type ToMain, type WorkerStart } from "./channel.js";
import { createLink } from "./link.js";

const [connectionFile] = process.argv.slice(2);
if (connectionFile === undefined) {
  console.error("usage: node main.js <connection file>; Jupyter starts this program, see the kernelspec");
  process.exit(2);
}

// Set by some terminals and build servers, it would put colour codes into saved notebooks.
delete process.env["FORCE_COLOR"];

/** The process waits this long for the worker to close its sockets; with open ones its exit aborts. */
const exitWaitMs = 3000;
const protocolFailed = 70;

const writeError = process.stderr.write.bind(process.stderr);
const memory = new SharedArrayBuffer(shared.length * Int32Array.BYTES_PER_ELEMENT);
const flags = new Int32Array(memory);
const workerData: WorkerStart = { connectionFile, shared: memory };
// First of all: the kernel answers while this thread still loads the compiler.
const worker = new Worker(new URL("./protocolWorker.js", import.meta.url), { workerData });
const link = createLink(worker, flags);
const early: ToMain[] = [];
let receive = (message: ToMain): void => {
  if (message.kind === "shutdown") process.exit(0);
  early.push(message);
};
worker.on("message", (message: ToMain) => receive(message));
worker.on("error", (error: Error) => {
  // Without the protocol nobody can reach the kernel any more.
  writeError(`kernel: the protocol worker failed; ${error.stack ?? error.message}\n`);
  Atomics.store(flags, shared.closed, 1);
  process.exit(protocolFailed);
});
process.on("exit", (code) => {
  link.post({ kind: "exit", code });
  Atomics.wait(flags, shared.closed, 0, exitWaitMs);
});

const [{ startCellThread }, { warmUp }] = await Promise.all([import("./cellThread.js"), import("./cells/warmUp.js")]);
// What arrived while the compiler was loading is delivered now; only a kernel that nobody waits for warms up.
await setImmediate();
if (early.length === 0) warmUp();
receive = startCellThread(link, flags);
early.forEach((message) => receive(message));
link.post({ kind: "ready" });
