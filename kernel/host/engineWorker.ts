import { parentPort, workerData } from "node:worker_threads";
import { EngineGate } from "./engineGate.js";
import type { EngineReply, EngineRequest } from "./engineMessages.js";
import { perform } from "./engineTasks.js";

const gate = new EngineGate(workerData as SharedArrayBuffer);

let queue: Promise<void> = Promise.resolve();

async function answer(request: EngineRequest): Promise<void> {
  if (!gate.enter()) return;
  try {
    const result = await perform(request);
    const transfer = Object.values(result.tensors ?? {}).map(({ data }) => data.buffer as ArrayBuffer);
    parentPort?.postMessage({ id: request.id, ok: true, ...result } satisfies EngineReply, transfer);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ id: request.id, ok: false, message } satisfies EngineReply);
  } finally {
    gate.leave();
  }
}

parentPort?.on("message", (request: EngineRequest) => {
  queue = queue.then(() => answer(request));
});
