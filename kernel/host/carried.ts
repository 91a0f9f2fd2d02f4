import type { Carried, CarrySettings, FedForm, Program } from "../graph/index.js";
import { inputName } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import { EngineError, knownNames, OptionError, ShapeError } from "../tensor/index.js";
import { untilAbort } from "./cancel.js";
import type { CarriedNames } from "./engineMessages.js";
import type { EnginePort } from "./engineThread.js";
import type { Plan } from "./plan.js";
import { buffersOf, unwired, wireInputs } from "./plan.js";

/** State of runs as this side of the engine knows it. */
export interface HeldState extends CarriedNames {
  /** What is carried now, by input. */
  forms: Readonly<Record<string, FedForm>>;
}

type Feeds = Readonly<Record<string, Tensor>>;

export interface CarryParts {
  readonly plan: Plan;
  readonly thread: EnginePort;
  /** Outputs that a run answers when none are named. */
  readonly outputs: readonly string[];
  /** One run with the state. */
  readonly run: (
    feeds: Feeds,
    outputs: readonly string[],
    held: HeldState,
    gives?: readonly string[],
  ) => Promise<Feeds>;
}

let states = 0;

/** Input and output of each part of the state. */
function pairsOf({ inputs, outputs }: Program, next: Readonly<Record<string, string>>) {
  const byName = new Map(inputs.map((value) => [inputName(value), value]));
  return Object.entries(next).map(([name, output]) => {
    const into = byName.get(name);
    if (!into) throw new OptionError(`carry: unknown input "${name}"${knownNames(name, [...byName.keys()])}`);
    const from = outputs[output];
    if (!from) throw new OptionError(`carry: unknown output "${output}"${knownNames(output, Object.keys(outputs))}`);
    return { name, into, from };
  });
}

/** The forms of a state whose shapes changed. */
export function formsAfter(
  { forms }: HeldState,
  shapes: Readonly<Record<string, readonly number[]>>,
): Readonly<Record<string, FedForm>> {
  return Object.fromEntries(
    Object.entries(forms).map(([name, form]) => [name, { ...form, shape: shapes[name] ?? form.shape }]),
  );
}

/** See `Compiled.carry`. */
export async function carriedOf(
  { plan, thread, outputs: free, run }: CarryParts,
  next: Readonly<Record<string, string>>,
  first: Feeds,
  { kept = {}, gives = [] }: CarrySettings = {},
): Promise<Carried> {
  for (const program of [plan.program, plan.fitted]) {
    for (const { name, into, from } of pairsOf(program, next)) {
      if (into.dtype !== from.dtype)
        throw new ShapeError(`carry: input "${name}" is ${into.dtype}, what replaces it is ${from.dtype}`);
    }
  }
  const names = Object.keys(next);
  const missing = names.find((name) => !Object.hasOwn(first, name));
  if (missing !== undefined) throw new OptionError(`carry: no first value for "${missing}"`);
  const extra = Object.keys(first).find((name) => !names.includes(name));
  if (extra !== undefined) throw new OptionError(`carry: "${extra}" is not carried${knownNames(extra, names)}`);

  const twice = Object.keys(kept).find((name) => names.includes(name));
  if (twice !== undefined) throw new OptionError(`carry: "${twice}" is carried, and cannot be kept as it is`);

  const state = `state ${states++}`;
  const all = { ...first, ...kept };
  const held: HeldState = {
    state,
    next,
    forms: Object.fromEntries(Object.entries(all).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
  };
  const tensors = wireInputs(plan, all, gives);
  await thread.ask({ kind: "hold", state, tensors }, buffersOf(tensors));

  let turn: Promise<unknown> = Promise.resolve();
  let open = true;
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!open) throw new EngineError("run: this state was disposed of");
    const done = turn.then(work, work);
    turn = done.catch(() => undefined);
    return done;
  };
  return {
    run: async (feeds, outputs = free, { signal, gives: given } = {}) =>
      untilAbort(
        inTurn(async () => {
          if (signal?.aborted) throw new EngineError("run: interrupted");
          return run(feeds, outputs, held, given);
        }),
        signal,
      ),
    read: async () =>
      inTurn(async () => {
        const { tensors: now } = await thread.ask({ kind: "held", state, names });
        return Object.fromEntries(names.map((name) => [name, unwired(now![name]!, held.forms[name]!.dtype)]));
      }),
    end: async (wanted) => {
      const unknown = wanted.find((name) => !Object.hasOwn(held.forms, name));
      if (unknown !== undefined) throw new OptionError(`end: unknown input "${unknown}"${knownNames(unknown, Object.keys(held.forms))}`); // prettier-ignore
      const last = inTurn(async () => thread.ask({ kind: "drop", state, names: wanted }));
      open = false;
      const { tensors: now } = await last;
      return Object.fromEntries(wanted.map((name) => [name, unwired(now![name]!, held.forms[name]!.dtype)]));
    },
    dispose: async () => {
      if (!open) return;
      open = false;
      await turn;
      await thread.ask({ kind: "drop", state, names: [] });
    },
  };
}
