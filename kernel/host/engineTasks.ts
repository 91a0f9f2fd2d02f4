import { MessageChannel } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import type { DataOf, DType } from "../tensor/index.js";
import type { CarriedNames, EngineReply, EngineTask, Provider, WireTensor } from "./engineMessages.js";
import { fallbackRefused } from "./engineMessages.js";

/** Smaller memory is left to the garbage collector. */
const forgottenBytes = 2 ** 20;

const sessions = new Map<string, ort.InferenceSession>();
const states = new Map<string, Readonly<Record<string, ort.Tensor>>>();

// The binding answers float16 with Float16Array where Node has it; the engine's form is the bit pattern.
function wireData({ type, data }: ort.Tensor): DataOf[DType] {
  const typed = data as DataOf[DType];
  const owned = typed.byteLength === typed.buffer.byteLength ? typed : typed.slice();
  return type === "float16" ? new Uint16Array(owned.buffer, owned.byteOffset, owned.length) : owned;
}

/** How many threads a session takes; undefined: one per core. */
let threadCount: number | undefined;

/** Sets how many threads the sessions that are opened from now on take. */
export function takeThreads(count: number): void {
  threadCount = count;
}

async function open(
  provider: Provider,
  model: Uint8Array,
  folder: string | undefined,
  packs: boolean,
  spares: boolean,
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: [provider],
    ...(threadCount === undefined ? {} : { intraOpNumThreads: threadCount }),
    // Which operators the higher levels fuse depends on what is an output: capturing a value would change the numbers
    // of all others by rounding. Explicit operators cost the same (within 5 % of CPU time, measured).
    graphOptimizationLevel: "basic",
    // Errors are thrown and told once; a log line on stderr would tell them again.
    logSeverityLevel: 4,
    enableCpuMemArena: !spares,
    extra: {
      session: {
        // Threads that spin while they wait take a core from the notebook and the browser.
        intra_op: { allow_spinning: "0" },
        // What a device cannot do must be known, not done elsewhere in silence.
        ...(provider === "cpu" ? {} : { disable_cpu_ep_fallback: "1" }),
        ...(packs ? {} : { disable_prepacking: "1" }),
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  });
}

async function accepts(provider: Provider, model: Uint8Array): Promise<boolean> {
  try {
    await (await open(provider, model, undefined, true, false)).release();
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes(fallbackRefused)) return false;
    throw error;
  }
}

type Wired = Readonly<Record<string, WireTensor>>;
/** What a task gives. */
export type Answer = Omit<Extract<EngineReply, { ok: true }>, "id" | "ok">;

const nowhere = new MessageChannel().port1;
nowhere.close();

/** Gives the memory of large tensors back at once, rather than when garbage is collected: their data is gone. */
function forget(tensors: readonly ort.Tensor[]): void {
  const buffers = tensors
    .filter(({ location }) => location === "cpu")
    .map(({ data }) => data as DataOf[DType])
    // A part of a buffer may have neighbours that are still read.
    .filter(({ buffer, byteLength }) => byteLength >= forgottenBytes && byteLength === buffer.byteLength)
    .map(({ buffer }) => buffer as ArrayBuffer);
  // What is sent to a closed port is dropped.
  nowhere.postMessage(undefined, [...new Set(buffers)]);
}

const arrived = (tensors: Wired): Record<string, ort.Tensor> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [name, new ort.Tensor(dtype, data, shape)]),
  );

const wired = (tensor: ort.Tensor): WireTensor => ({
  dtype: tensor.type as DType,
  shape: tensor.dims,
  data: wireData(tensor),
});

function stateOf(name: string): Readonly<Record<string, ort.Tensor>> {
  const state = states.get(name);
  if (!state) throw new Error("the state was disposed of");
  return state;
}

async function run({ session: key, feeds, outputs, carried }: Extract<EngineTask, { kind: "run" }>): Promise<Answer> {
  const session = sessions.get(key);
  if (!session) throw new Error("the session was released");
  const held = carried ? stateOf(carried.state) : {};
  const next = Object.values(carried?.next ?? {});
  const fed = arrived(feeds);
  const results = await session.run({ ...held, ...fed }, [...new Set([...outputs, ...next])]);
  forget(Object.values(fed));
  const tensors = Object.fromEntries(outputs.map((name) => [name, wired(results[name]!)]));
  return carried ? { tensors: apart(tensors, next), shapes: advance(carried, results) } : { tensors };
}

/** What is both an answer and the next state is copied: an answer gives its memory away. */
function apart(tensors: Wired, next: readonly string[]): Wired {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      next.includes(name) ? { ...tensor, data: tensor.data.slice() } : tensor,
    ]),
  );
}

function copied(tensor: ort.Tensor): WireTensor {
  const { data, ...form } = wired(tensor);
  return { ...form, data: data.slice() };
}

function advance(
  { state, next }: CarriedNames,
  results: ort.InferenceSession.ReturnType,
): NonNullable<Answer["shapes"]> {
  const after = Object.fromEntries(Object.entries(next).map(([name, output]) => [name, results[output]!]));
  const before = stateOf(state);
  states.set(state, { ...before, ...after });
  forget(Object.keys(after).map((name) => before[name]!));
  return Object.fromEntries(Object.entries(after).map(([name, { dims }]) => [name, dims]));
}

function drop({ state, names }: Extract<EngineTask, { kind: "drop" }>): Answer {
  const parts = names.length > 0 ? stateOf(state) : (states.get(state) ?? {});
  states.delete(state);
  forget(Object.keys(parts).filter((name) => !names.includes(name)).map((name) => parts[name]!)); // prettier-ignore
  return { tensors: Object.fromEntries(names.map((name) => [name, wired(parts[name]!)])) };
}

/** Does what is asked, with the sessions of this thread. */
export async function perform(task: EngineTask): Promise<Answer> {
  switch (task.kind) {
    case "create":
      sessions.set(task.session, await open(task.provider, task.model, task.folder, task.packs, task.spares));
      return {};
    case "accepts":
      return { accepted: await accepts(task.provider, task.model) };
    case "run":
      return run(task);
    case "hold":
      states.set(task.state, arrived(task.tensors));
      return {};
    case "held": {
      const state = stateOf(task.state);
      return { tensors: Object.fromEntries(task.names.map((name) => [name, copied(state[name]!)])) };
    }
    case "drop":
      return drop(task);
    case "release":
      await sessions.get(task.session)?.release();
      sessions.delete(task.session);
      return {};
    case "backends":
      return { backends: ort.listSupportedBackends() };
  }
}
