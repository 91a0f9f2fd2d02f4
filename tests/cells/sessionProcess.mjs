// A bare cell runner: one process, its own inspector session, cells in, values and errors out.
import inspector from "node:inspector";
import { performance } from "node:perf_hooks";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import { createFrameMapper } from "../../kernel/lib/host/jupyter/cells/frames.js";
import { createImporter } from "../../kernel/lib/host/jupyter/cells/importer.js";
import { installCellRuntime } from "../../kernel/lib/host/jupyter/cells/runtime.js";
import { transformCell } from "../../kernel/lib/host/jupyter/cells/transform.js";

const [folder] = process.argv.slice(2);
const interruptFlag = new Int32Array(new SharedArrayBuffer(4));
const builtin = { name: "the builtin" };
const frames = createFrameMapper();
const importer = createImporter({ folder, frames, builtins: { "attention-lab": () => Promise.resolve(builtin) } });
installCellRuntime(globalThis, { import: importer.import, interruptFlag, meta: { dirname: folder } });

// Interrupts come from another thread: the one that runs cells may be in a loop.
const source = `
  const { parentPort, workerData } = require("node:worker_threads");
  parentPort.on("message", (afterMs) => setTimeout(() => Atomics.add(workerData, 0, 1), afterMs));`;
const interrupter = new Worker(source, { eval: true, workerData: interruptFlag });
interrupter.unref();
// A cell that is to be interrupted calls `begun()` where the time begins to count.
let interruptAfterMs;
Object.assign(globalThis, { begun: () => interrupter.postMessage(interruptAfterMs) });

const late = [];
process.on("unhandledRejection", (error) => late.push(String(error)));
Object.assign(globalThis, { late });

const session = new inspector.Session();
session.connect();
const post = (method, parameters) =>
  new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });

async function valueOf(remote) {
  if (remote.objectId === undefined) {
    return remote.unserializableValue === undefined
      ? remote.value
      : Number(remote.unserializableValue.replace(/n$/, ""));
  }
  const taken = {};
  globalThis.__taken = taken;
  const functionDeclaration = "function (value) { globalThis.__taken.value = value }";
  const parameters = [{ objectId: remote.objectId }];
  await post("Runtime.callFunctionOn", { functionDeclaration, arguments: parameters, objectId: remote.objectId });
  delete globalThis.__taken;
  return taken.value;
}

async function run(cell, name) {
  const transformed = transformCell(cell, { name });
  frames.add(transformed);
  const parameters = { expression: transformed.code, replMode: true, awaitPromise: true, objectGroup: "cell" };
  const start = performance.now();
  const { result, exceptionDetails } = await post("Runtime.evaluate", parameters);
  const durationMs = performance.now() - start;
  if (exceptionDetails !== undefined) {
    const { scriptId, lineNumber, columnNumber } = exceptionDetails;
    const at = scriptId === undefined ? undefined : { url: name, line: lineNumber, column: columnNumber };
    const thrown = await valueOf(exceptionDetails.exception);
    return { error: frames.error(thrown, at), durationMs };
  }
  return { value: inspect(await valueOf(result), { depth: 5, breakLength: Infinity }), durationMs };
}

process.on("message", ({ cell, name, ...options }) => {
  ({ interruptAfterMs } = options);
  run(cell, name).then(
    (outcome) => process.send(outcome),
    (error) => process.send({ error: frames.error(error), durationMs: 0 }),
  );
});
process.send("ready");
