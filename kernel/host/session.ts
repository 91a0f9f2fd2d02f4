import { createHash } from "node:crypto";
import { freemem } from "node:os";
import type { CancelSignal, Compiled, Engine, Program, RunSettings, Value } from "../graph/index.js";
import { activationBytes, bindFeeds, encodeOnnx, inputName, programOf, weightBytes } from "../graph/index.js";
import { EngineError, knownNames, OptionError, Tensor } from "../tensor/index.js";
import type { WireTensor } from "./engineMessages.js";
import type { EngineThread } from "./engineThread.js";
import { engineThread } from "./engineThread.js";

/**
 * Peak memory of a session over its weights: 1.1 for float32 (measured at 1.2 and 3 GB); weights that are cast when they
 * load are alive in both forms for a while.
 */
const sessionFactor = 1.4;

interface Session {
  readonly ready: Promise<string>;
  users: number;
}

export interface EngineOptions {
  readonly thread?: EngineThread;
  /** Memory that may still be taken, in bytes. */
  readonly freeBytes?: () => number;
}

function freeMemory(): number {
  // Node 20.13 and later know the limit of the container as well.
  return typeof process.availableMemory === "function" ? process.availableMemory() : freemem();
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)} GB`;
}

/** Rejects at the abort; what was started goes on and its result is discarded. */
async function untilAbort<T>(work: Promise<T>, signal: CancelSignal | undefined): Promise<T> {
  if (!signal) return work;
  const reason = (): Error =>
    signal.reason instanceof Error ? signal.reason : new EngineError("engine: the run was interrupted");
  if (signal.aborted) {
    work.catch(() => undefined);
    throw reason();
  }
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(reason());
    signal.addEventListener("abort", abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** A copy that the engine thread may take: the caller's data is never detached. */
function wire({ dtype, shape, data }: Tensor): WireTensor {
  return { dtype, shape, data: data.slice() };
}

/**
 * onnxruntime on one device, behind the engine thread.
 *
 * Throws   EngineError before anything is loaded when the weights or a run's activations would not fit into memory
 */
export class OrtEngine implements Engine {
  readonly device: string;
  readonly #thread: EngineThread;
  readonly #freeBytes: () => number;
  readonly #sessions = new Map<string, Session>();

  constructor(device: string, { thread = engineThread(), freeBytes = freeMemory }: EngineOptions = {}) {
    this.device = device;
    this.#thread = thread;
    this.#freeBytes = freeBytes;
  }

  async compile(outputs: Readonly<Record<string, Value>>, { signal }: RunSettings = {}): Promise<Compiled> {
    const program = programOf(outputs);
    const { bytes, folder } = encodeOnnx(program, { fuseTransposed: this.device === "cpu" });
    const hash = createHash("sha256")
      .update(bytes)
      .update(`\n${folder ?? ""}\n`);
    for (const { source } of program.values) if (source?.kind === "weight") hash.update(`${source.version}\n`);
    const key = hash.digest("hex");

    let session = this.#sessions.get(key);
    if (!session) {
      this.#refuse("load", weightBytes(program) * sessionFactor);
      session = { ready: this.#create(key, bytes, folder), users: 0 };
      this.#sessions.set(key, session);
    }
    session.users++;
    try {
      await untilAbort(session.ready, signal);
    } catch (error) {
      // Not awaited: the release waits for the load, an interrupt does not.
      this.#leave(key, session).catch(() => undefined);
      throw error;
    }
    return this.#compiled(program, key, session);
  }

  async #create(key: string, model: Uint8Array, folder: string | undefined): Promise<string> {
    try {
      await this.#thread.ask({ kind: "create", session: key, model, folder });
    } catch (error) {
      this.#sessions.delete(key);
      throw new EngineError(`engine: the graph could not be loaded on ${this.device}: ${(error as Error).message}`);
    }
    return key;
  }

  async #leave(key: string, session: Session): Promise<void> {
    session.users--;
    if (session.users > 0 || this.#sessions.get(key) !== session) return;
    this.#sessions.delete(key);
    await this.#thread.ask({ kind: "release", session: key });
  }

  #refuse(what: string, needed: number): void {
    const free = this.#freeBytes();
    if (needed > free) throw new EngineError(`${what}: needs ${gigabytes(needed)}, ${gigabytes(free)} free`);
  }

  #compiled(program: Program, key: string, session: Session): Compiled {
    const names = Object.keys(program.outputs);
    let open = true;
    const run = async (
      feeds: Readonly<Record<string, Tensor>>,
      wanted: readonly string[],
    ): Promise<Readonly<Record<string, Tensor>>> => {
      if (!open) throw new EngineError("run: this graph was disposed of");
      const unknown = wanted.find((name) => !names.includes(name));
      if (unknown !== undefined) throw new OptionError(`run: unknown output "${unknown}"${knownNames(unknown, names)}`);
      const sizes = bindFeeds(program.inputs, feeds);
      this.#refuse("run", activationBytes(program, sizes));
      const sent = Object.fromEntries(program.inputs.map(inputName).map((name) => [name, wire(feeds[name]!)]));
      const { tensors } = await this.#thread
        .ask(
          { kind: "run", session: key, feeds: sent, outputs: wanted },
          Object.values(sent).map(({ data }) => data.buffer as ArrayBuffer),
        )
        .catch((error: Error) => {
          throw new EngineError(`run: ${error.message}`);
        });
      return Object.fromEntries(
        Object.entries(tensors!).map(([name, { dtype, shape, data }]) => [name, new Tensor(dtype, shape, data)]),
      );
    };
    return {
      inputs: program.inputs,
      outputs: names,
      run: async (feeds, wanted = names, { signal } = {}) => {
        if (signal?.aborted) return untilAbort(Promise.reject(new EngineError("run: interrupted")), signal);
        return untilAbort(run(feeds, wanted), signal);
      },
      dispose: async () => {
        if (!open) return;
        open = false;
        await this.#leave(key, session);
      },
    };
  }
}
