import type { Compiled, CompileSettings, Engine, InBlocks, PieceSettings, RunSettings, Value } from "../graph/index.js";
import { activationBytes, bindFeeds, piecesOf, programOf, runPieces } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import { isOnDemand } from "./addresses.js";
import type { Blueprint } from "./family.js";
import type { Forward } from "./forward.js";
import { forward } from "./forward.js";
import { gateHeads } from "./headGates.js";
import { partsOf } from "./stacks.js";

/** Beyond this many bytes of activations, a session is made that keeps only what was asked for. */
const keepAllLimit = 2e9;

/** How many graphs with interventions or probes of their own stay loaded. */
const keptGraphs = 2;

type Feeds = Readonly<Record<string, Tensor>>;
type Results = Promise<Readonly<Record<string, Tensor>>>;

/** What the sessions of a model are made of. */
export interface SessionParts {
  readonly blueprint: Blueprint;
  readonly weights: ReadonlyMap<string, Value>;
  readonly engine: Engine;
  readonly plain: Forward;
}

/** The sessions of one model. Each holds the weights, so there are few. */
export class Sessions {
  readonly #parts: SessionParts;
  #gated: Forward | undefined;
  readonly #compiled = new Map<string, Promise<Compiled>>();
  readonly #recent: Compiled[] = [];

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** These addresses of the untouched run, or of one with head gates. */
  async compute(wanted: readonly Address[], feeds: Feeds, gated: boolean, settings: RunSettings): Results {
    const compiled = await this.#session(wanted, feeds, gated, settings);
    return compiled.run(feeds, wanted, settings);
  }

  /** One pass over a graph of its own; the sessions of the last two such graphs stay, so repeating one costs no loading. */
  async once(outputs: Readonly<Record<string, Value>>, feeds: Feeds, settings: CompileSettings): Results {
    const compiled = await this.#parts.engine.compile(outputs, settings);
    // Under way before older ones are given back: runs at the same time do not take each other's graphs.
    const running = compiled.run(feeds, undefined, settings);
    const at = this.#recent.findIndex(({ key }) => key === compiled.key);
    const twin = at < 0 ? [] : this.#recent.splice(at, 1);
    this.#recent.push(compiled);
    const old = [...twin, ...this.#recent.splice(0, Math.max(this.#recent.length - keptGraphs, 0))];
    const [results] = await Promise.all([running, ...old.map(async (each) => each.dispose())]);
    return results;
  }

  /** One pass piece by piece; nothing of it stays loaded. */
  async inPieces({ outputs, joins }: Omit<InBlocks, "feeds">, feeds: Feeds, settings: PieceSettings): Results {
    return runPieces(this.#parts.engine, piecesOf(outputs, joins), feeds, settings);
  }

  /** The session of this name, made when it is asked for the first time. */
  async known(key: string, outputs: () => Readonly<Record<string, Value>>, settings: RunSettings): Promise<Compiled> {
    const known = this.#compiled.get(key);
    if (known) return known;
    const session = this.#parts.engine.compile(outputs(), settings);
    this.#compiled.set(key, session);
    try {
      return await session;
    } catch (error) {
      this.#compiled.delete(key);
      throw error;
    }
  }

  /** Gives the memory of all sessions back. */
  async dispose(): Promise<void> {
    const sessions = [...this.#compiled.values()];
    this.#compiled.clear();
    const recent = this.#recent.splice(0);
    await Promise.all([...sessions, ...recent].map(async (session) => (await session).dispose()));
  }

  /**
   * A session that yields these addresses: one that keeps outputs and patterns, one that keeps everything but what is
   * computed on demand, each once more with head gates, and once more without logits, where these are not asked for.
   */
  async #session(wanted: readonly Address[], feeds: Feeds, gated: boolean, settings: RunSettings): Promise<Compiled> {
    const { blueprint, weights, plain } = this.#parts;
    const { values, outputs } = gated ? (this.#gated ??= forward(blueprint, weights, gateHeads(blueprint))) : plain;
    // A device computes all that a session keeps, whatever is read of it: the product with all of a vocabulary among it.
    const spared = wanted.includes("logits") ? [] : ["logits"];
    const without = (addresses: Iterable<Address>): readonly Address[] =>
      [...addresses].filter((address) => !spared.includes(address));
    const usual = without([...outputs, ...partsOf(blueprint, "pattern").keys()]);
    const valuesOf = (addresses: readonly Address[]): Record<Address, Value> =>
      Object.fromEntries(addresses.map((address) => [address, values.get(address)!]));
    let kept: readonly Address[] = usual;
    if (!wanted.every((address) => usual.includes(address))) {
      const all = without(values.keys()).filter((address) => !isOnDemand(address) || wanted.includes(address));
      const everything = programOf(valuesOf(all));
      const bytes = activationBytes(everything, bindFeeds(everything.inputs, feeds));
      kept = bytes <= keepAllLimit ? all : wanted;
    }
    return this.known(`${gated ? "gated" : "plain"} ${kept.join()}`, () => valuesOf(kept), settings);
  }
}
