import { freemem } from "node:os";
import type { Compiled, CompileSettings, Engine, OnnxModel, Value } from "../graph/index.js";
import { activationBytes, bindFeeds, placeOf, weightBytes } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import { EngineError, knownNames, OptionError } from "../tensor/index.js";
import { untilAbort } from "./cancel.js";
import type { HeldState } from "./carried.js";
import { carriedOf, formsAfter } from "./carried.js";
import { Coverage } from "./coverage.js";
import type { Provider } from "./engineMessages.js";
import { fallbackRefused } from "./engineMessages.js";
import type { EnginePort } from "./engineThread.js";
import { engineThread } from "./engineThread.js";
import type { Plan } from "./plan.js";
import { buffersOf, unwired, wireFeeds } from "./plan.js";
import { Plans } from "./plans.js";

/**
 * Peak memory of a session over its weights: 1.1 for float32 (measured at 1.2 and 3 GB); weights that are cast when they
 * load are alive in both forms for a while.
 */
const sessionFactor = 1.4;

interface Session {
  readonly ready: Promise<string>;
  users: number;
}

export type OnLoad = (load: {
  readonly sizeBytes: number;
  readonly device: string;
  readonly loaded: Promise<unknown>;
}) => void;

export interface EngineOptions {
  readonly thread?: EnginePort;
  /** Memory of this machine that may still be taken, in bytes. */
  readonly freeBytes?: () => number;
  /** Memory of the device itself, in bytes; unbounded where it is not known. */
  readonly deviceBytes?: number;
  /** Called when weights begin to load. */
  readonly onLoad?: OnLoad;
  /** What matrix products are computed in; default float32. */
  readonly dtype?: Engine["dtype"];
}

/** Memory of this machine that may still be taken, in bytes. */
export function freeMemory(): number {
  // Node 20.13 and later know the limit of the container as well.
  return typeof process.availableMemory === "function" ? process.availableMemory() : freemem();
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)} GB`;
}

/** onnxruntime's name of each device where it differs. */
export function providerOf(device: string): Provider {
  return (device === "directml" ? "dml" : device) as Provider;
}

/** The device has no kernel for something in a graph. */
class RefusedError extends EngineError {}

/** The value that an error of onnxruntime names, as the error that says where it was made. */
function placeIn({ model }: Plan, message: string): Error | undefined {
  const value = model.nodes.get(/Name:'([^']*)'/.exec(message)?.[1] ?? "");
  return value && placeOf(value);
}

/**
 * onnxruntime on one device, behind the engine thread.
 *
 * Throws   EngineError before anything is loaded when the weights or a run's activations would not fit into memory
 */
export class OrtEngine implements Engine {
  readonly device: string;
  readonly dtype: Engine["dtype"];
  readonly #provider: Provider;
  readonly #thread: EnginePort;
  readonly #freeBytes: () => number;
  readonly #deviceBytes: number;
  readonly #onLoad: OnLoad | undefined;
  readonly #coverage: Coverage | undefined;
  readonly #sessions = new Map<string, Session>();
  readonly #plans = new Plans();

  constructor(device: string, options: EngineOptions = {}) {
    const { thread = engineThread(), freeBytes = freeMemory, deviceBytes = Infinity, dtype = "float32" } = options;
    this.device = device;
    this.dtype = dtype;
    this.#provider = providerOf(device);
    this.#thread = thread;
    this.#freeBytes = freeBytes;
    this.#deviceBytes = deviceBytes;
    this.#onLoad = options.onLoad;
    this.#coverage = device === "cpu" ? undefined : new Coverage(this.#provider, thread);
  }

  async compile(outputs: Readonly<Record<string, Value>>, settings: CompileSettings = {}): Promise<Compiled> {
    const planned = this.#plans.of(outputs, {
      device: this.device,
      coverage: this.#coverage,
      isHalf: this.dtype === "float16",
    });
    const kind = `${settings.isFleeting ? " fleeting" : ""}${settings.isSparing ? " sparing" : ""}`;
    const plan = { ...planned, key: `${planned.key}${kind}` };
    try {
      return await this.#open(plan, settings);
    } catch (error) {
      if (!(error instanceof RefusedError) || !(await this.#coverage?.learn(plan.fitted))) throw error;
      // What was learned is written in other operators now, or named as missing.
      return this.compile(outputs, settings);
    }
  }

  async #open(plan: Plan, { signal, isFleeting = false, isSparing = false }: CompileSettings): Promise<Compiled> {
    const { key, fitted, model } = plan;
    let session = this.#sessions.get(key);
    if (!session) {
      const sizeBytes = weightBytes(fitted);
      this.#refuse("load", sizeBytes * sessionFactor);
      session = { ready: this.#create(key, model, { packs: !isFleeting, spares: isSparing }), users: 0 };
      this.#onLoad?.({ sizeBytes, device: this.device, loaded: session.ready });
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
    return this.#compiled(plan, session);
  }

  async #create(
    key: string,
    { bytes, folder }: OnnxModel,
    how: { readonly packs: boolean; readonly spares: boolean },
  ): Promise<string> {
    try {
      await this.#thread.ask({ kind: "create", session: key, provider: this.#provider, model: bytes, folder, ...how });
    } catch (error) {
      this.#sessions.delete(key);
      const { message } = error as Error;
      const Kind = message.includes(fallbackRefused) ? RefusedError : EngineError;
      throw new Kind(`engine: the graph could not be loaded on ${this.device}: ${message}`);
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
    const held = this.#deviceBytes;
    if (needed > held)
      throw new EngineError(`${what}: needs ${gigabytes(needed)}, ${this.device} has ${gigabytes(held)}`);
  }

  #compiled(plan: Plan, session: Session): Compiled {
    const { program, fitted, key } = plan;
    const names = Object.keys(program.outputs);
    let open = true;
    const run = async (
      feeds: Readonly<Record<string, Tensor>>,
      wanted: readonly string[],
      held?: HeldState,
      gives?: readonly string[],
    ): Promise<Readonly<Record<string, Tensor>>> => {
      if (!open) throw new EngineError("run: this graph was disposed of");
      const unknown = wanted.find((name) => !names.includes(name));
      if (unknown !== undefined) throw new OptionError(`run: unknown output "${unknown}"${knownNames(unknown, names)}`);
      const fedTwice = Object.keys(held?.next ?? {}).find((name) => Object.hasOwn(feeds, name));
      if (fedTwice !== undefined) throw new OptionError(`run: input "${fedTwice}" is carried; leave its feed out`);
      const sizes = bindFeeds(program.inputs, { ...feeds, ...held?.forms });
      this.#refuse("run", activationBytes(fitted, sizes));
      const sent = wireFeeds(plan, feeds, sizes, gives);
      const carried = held && { state: held.state, next: held.next };
      const { tensors, shapes } = await this.#thread
        .ask({ kind: "run", session: key, feeds: sent, outputs: wanted, ...(carried && { carried }) }, buffersOf(sent))
        .catch(({ message }: Error) => {
          const cause = placeIn(plan, message);
          throw new EngineError(`run: ${message}`, cause && { cause });
        });
      if (held) held.forms = formsAfter(held, shapes!);
      return Object.fromEntries(
        Object.entries(tensors!).map(([name, tensor]) => [name, unwired(tensor, program.outputs[name]!.dtype)]),
      );
    };
    return {
      key,
      inputs: program.inputs,
      outputs: names,
      run: async (feeds, wanted = names, { signal, gives } = {}) => {
        if (signal?.aborted) return untilAbort(Promise.reject(new EngineError("run: interrupted")), signal);
        return untilAbort(run(feeds, wanted, undefined, gives), signal);
      },
      carry: async (next, first, settings) => {
        const free = names.filter((name) => !Object.values(next).includes(name));
        return carriedOf({ plan, thread: this.#thread, outputs: free, run }, next, first, settings);
      },
      dispose: async () => {
        if (!open) return;
        open = false;
        await this.#leave(key, session);
      },
    };
  }
}
