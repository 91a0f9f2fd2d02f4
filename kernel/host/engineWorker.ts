import { parentPort, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import type { DataOf, DType } from "../tensor/index.js";
import { EngineGate } from "./engineGate.js";
import type { EngineReply, EngineRequest, EngineTask, Provider, WireTensor } from "./engineMessages.js";
import { fallbackRefused } from "./engineMessages.js";

const gate = new EngineGate(workerData as SharedArrayBuffer);
const sessions = new Map<string, ort.InferenceSession>();

// The binding answers float16 with Float16Array where Node has it; the engine's form is the bit pattern.
function wireData({ type, data }: ort.Tensor): DataOf[DType] {
  const typed = data as DataOf[DType];
  const owned = typed.byteLength === typed.buffer.byteLength ? typed : typed.slice();
  return type === "float16" ? new Uint16Array(owned.buffer, owned.byteOffset, owned.length) : owned;
}

async function open(provider: Provider, model: Uint8Array, folder: string | undefined): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: [provider],
    // Which operators the higher levels fuse depends on what is an output: capturing a value would change the numbers
    // of all others by rounding. Explicit operators cost the same (within 5 % of CPU time, measured).
    graphOptimizationLevel: "basic",
    // Errors are thrown and told once; a log line on stderr would tell them again.
    logSeverityLevel: 4,
    extra: {
      session: {
        // Threads that spin while they wait take a core from the notebook and the browser.
        intra_op: { allow_spinning: "0" },
        // What a device cannot do must be known, not done elsewhere in silence.
        ...(provider === "cpu" ? {} : { disable_cpu_ep_fallback: "1" }),
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  });
}

async function accepts(provider: Provider, model: Uint8Array): Promise<boolean> {
  try {
    await (await open(provider, model, undefined)).release();
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes(fallbackRefused)) return false;
    throw error;
  }
}

async function run(task: Extract<EngineTask, { kind: "run" }>): Promise<Record<string, WireTensor>> {
  const session = sessions.get(task.session);
  if (!session) throw new Error("the session was released");
  const feeds = Object.fromEntries(
    Object.entries(task.feeds).map(([name, { dtype, shape, data }]) => [name, new ort.Tensor(dtype, data, shape)]),
  );
  const results = await session.run(feeds, [...task.outputs]);
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [
      name,
      { dtype: tensor.type as DType, shape: tensor.dims, data: wireData(tensor) },
    ]),
  );
}

async function perform(task: EngineTask): Promise<Omit<Extract<EngineReply, { ok: true }>, "id" | "ok">> {
  switch (task.kind) {
    case "create":
      sessions.set(task.session, await open(task.provider, task.model, task.folder));
      return {};
    case "accepts":
      return { accepted: await accepts(task.provider, task.model) };
    case "run":
      return { tensors: await run(task) };
    case "release":
      await sessions.get(task.session)?.release();
      sessions.delete(task.session);
      return {};
    case "backends":
      return { backends: ort.listSupportedBackends() };
  }
}

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
