import type { Value } from "../../graph/index.js";
import { build, constant } from "../../graph/index.js";
import { OptionError, random, Tensor } from "../../tensor/index.js";
import type { GraphContext } from "../family.js";
import type { TransformerConfig } from "./config.js";

/** Kinds for which something else than the prompt runs through the layers, the same for every prompt. */
const fixedKinds = ["noise", "text"] as const;
type FixedKind = (typeof fixedKinds)[number];

/** Throws OptionError where queries cannot be made as a config says. */
export function checkSources({ layers, queriesFrom, fixedIds, length, vocabulary }: TransformerConfig): void {
  if (queriesFrom.length !== layers)
    throw new OptionError(`transformer: expected queriesFrom for each of ${layers} layers, got ${queriesFrom.length}`);
  const wanted = queriesFrom.includes("text") ? length : 0;
  if (fixedIds.length !== wanted)
    throw new OptionError(`transformer: expected ${wanted} fixedIds, got ${fixedIds.length}: one per position where queriesFrom is "text"`); // prettier-ignore
  const unknown = fixedIds.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary));
  if (unknown !== undefined)
    throw new OptionError(`transformer: fixedIds must be tokens 0 … ${vocabulary - 1}, got ${unknown}`);
}

/** What runs through one layer beside the prompt, [B,T,M]. */
export type Beside = Readonly<Partial<Record<FixedKind, Value>>>;

/**
 * What enters the first layer beside the prompt where queries and keys are made of it: vectors drawn once per position, or
 * a fixed text, embedded as any prompt is.
 *
 * Source   arXiv:2510.11602 eq. 9, 11
 */
export function fixedBeside(
  { input, weight }: GraphContext,
  { queriesFrom, fixedIds, length, width }: TransformerConfig,
  embed: (ids: Value) => Value,
): Beside {
  const perPosition = (table: Tensor): Value => build.gather(constant(table), input("token_index"), 0);
  const make: Readonly<Record<FixedKind, () => Value>> = {
    noise: () => build.cast(perPosition(random(0).fork("noise").normal([length, width])), weight("embed.weight").dtype),
    text: () => embed(perPosition(new Tensor("int32", [length], Int32Array.from(fixedIds)))),
  };
  const used = fixedKinds.filter((kind) => queriesFrom.includes(kind));
  return Object.fromEntries(used.map((kind) => [kind, make[kind]()]));
}

/** What queries and keys of a layer are made of, before its norm; undefined where that is the stream. Shapes → [B,T,M] */
export function sourceOf(
  context: GraphContext,
  config: TransformerConfig,
  at: number,
  { embedded, beside }: { readonly embedded: Value; readonly beside: Beside },
): Value | undefined {
  const kind = config.queriesFrom[at];
  if (kind === "stream") return undefined;
  if (kind === "embeddings") return embedded;
  if (kind !== "random") return beside[kind];
  const drawn = random(0).fork("queries").normal([config.vocabulary, config.width]);
  return build.gather(build.cast(constant(drawn), embedded.dtype), context.input("input_ids"), 0);
}
