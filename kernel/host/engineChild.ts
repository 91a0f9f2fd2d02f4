// What a process of the pool runs: the engine's tasks, one after the other, until the process that started it is gone.
import type { EngineReply, EngineRequest } from "./engineMessages.js";
import { perform, takeThreads } from "./engineTasks.js";

takeThreads(Number(process.argv[2]));
let queue: Promise<void> = Promise.resolve();

async function answer(request: EngineRequest): Promise<void> {
  let reply: EngineReply;
  try {
    reply = { id: request.id, ok: true, ...(await perform(request)) };
  } catch (error) {
    reply = { id: request.id, ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(reply);
}

process.on("message", (request: EngineRequest) => {
  queue = queue.then(() => answer(request));
});
// A run in progress is let end: leaving it would be an abort.
process.on("disconnect", () => {
  queue = queue.then(() => process.exit(0));
});
// An interrupt of a terminal reaches every process of its group: what it means is decided by the one that was asked.
process.on("SIGINT", () => undefined);
