import { atUnitPower } from "../../attention/steps.js";
import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import type { Blueprint, GraphContext, TensorSpec } from "../family.js";
import { arange, tokenFeeds } from "../feeds.js";
import { gatedMlp, mlp } from "../mlp.js";
import type { NormKind } from "../norms.js";
import { layer, rms } from "../norms.js";
import { attentionOf, attentionSpecs, linear, linearSpecs, takesAnyLength } from "./attention.js";
import type { TransformerConfig } from "./config.js";
import { architecture } from "./config.js";
import type { Beside } from "./querySources.js";
import { checkSources, fixedBeside, sourceOf } from "./querySources.js";

const norms: Readonly<Record<TransformerConfig["norm"], NormKind>> = {
  layer: layer(1e-5),
  rms: rms(1e-5),
  simpleRms: { specs: () => [], apply: (_, __, x) => atUnitPower(x, [x.shape.length - 1]) },
  none: { specs: () => [], apply: (_, __, x) => x },
};

function blockSpecs(config: TransformerConfig, at: number): TensorSpec[] {
  const { width, mlpWidth, gatedMlp: isGated, norm } = config;
  const prefix = `blocks.${at}.`;
  const mlpSpecs = [
    ...norms[norm].specs(`${prefix}ln2`, width),
    ...(isGated ? linearSpecs(`${prefix}mlp.gate`, width, mlpWidth) : []),
    ...linearSpecs(`${prefix}mlp.in`, width, mlpWidth),
    ...linearSpecs(`${prefix}mlp.out`, mlpWidth, width),
  ];
  return [
    ...norms[norm].specs(`${prefix}ln1`, width),
    ...attentionSpecs(config, at),
    ...(mlpWidth > 0 ? mlpSpecs : []),
  ];
}

/** One layer; `source`: what its queries and keys are made of where that is not what it reads. */
function block(context: GraphContext, config: TransformerConfig, at: number, x: Value, source?: Value): Value {
  const tap = (part: string, value: Value): Value => context.tap(`blocks.${at}.${part}`, value);
  const { apply } = norms[config.norm];
  const before = tap("resid_pre", x);
  const read = tap("ln1.normalized", apply(context, `blocks.${at}.ln1`, before));
  const asked = source && apply(context, `blocks.${at}.ln1`, source);
  const sum = build.add(before, attentionOf(context, config, at, read, asked));
  if (config.mlpWidth === 0) return tap("resid_post", sum);
  const middle = tap("resid_mid", sum);
  const shared = tap("ln2.normalized", apply(context, `blocks.${at}.ln2`, middle));
  const side = (part: string) => (y: Value) => linear(context, `blocks.${at}.mlp.${part}`, y);
  const made = config.gatedMlp
    ? gatedMlp(tap, config.activation, [side("gate")(shared), side("in")(shared)], side("out"))
    : mlp(tap, config.activation, side("in"), side("out"), shared);
  return tap("resid_post", build.add(middle, tap("mlp_out", made)));
}

/** The layers one after the other, and beside them what their queries are made of. Shapes   [B,T,M] → [B,T,M] */
function layersOf(context: GraphContext, config: TransformerConfig, embedded: Value, beside: Beside): Value {
  const silent: GraphContext = { ...context, tap: (_, value) => value };
  let stream = embedded;
  let fixed = beside;
  for (let at = 0; at < config.layers; at++) {
    const source = sourceOf(context, config, at, { embedded, beside: fixed });
    stream = block(context, config, at, stream, source);
    const later = config.queriesFrom.slice(at + 1);
    const kept = Object.entries(fixed).filter(([kind]) => (later as readonly string[]).includes(kind));
    fixed = Object.fromEntries(kept.map(([kind, x]) => [kind, block(silent, config, at, x)]));
  }
  return stream;
}

/** Throws OptionError where parts of a config do not fit together. */
function check(config: TransformerConfig): void {
  const { heads, kvHeads, valueHeads, attention, positions, causal } = config;
  checkSources(config);
  for (const [name, count] of Object.entries({ kvHeads, valueHeads })) {
    if (heads % count !== 0)
      throw new OptionError(`transformer: heads must be a multiple of ${name}, got ${heads} and ${count}`);
  }
  attention.forEach(({ mechanism: { name, promises } }, at) => {
    if (promises.sees !== "mask" && positions === "alibi")
      throw new OptionError(`transformer: "${name}" of layer ${at} takes no bias, so no ALiBi positions`);
    const asked = causal ? "causal" : "not causal";
    if (promises.sees !== "mask" && (promises.sees === "causal") !== causal)
      throw new OptionError(
        `transformer: "${name}" of layer ${at} sees ${promises.sees} keys, but the model is ${asked}`,
      );
  });
}

/**
 * A transformer made of mechanisms: embeddings, pre-norm blocks of attention and MLP, a last norm, the unembedding.
 *
 * Throws   OptionError where its parts do not fit together
 */
export function transformerBlueprint(config: TransformerConfig): Blueprint {
  check(config);
  const { layers, heads, kvHeads, valueHeads, headDim, width, vocabulary, length, positions, norm, tied } = config;
  const { attention } = config;
  const isFixed = config.convolution > 0 || !attention.every((each) => takesAnyLength(each, config));
  const names = ["input_ids", "attention_mask", "token_index"];
  if (positions === "learned" || positions === "rotary") names.push("position_ids");
  if (positions === "alibi") names.push("key_positions");
  return {
    ...{ family: "transformer", architecture, layers, heads, kvHeads, valueHeads, headDim, width, vocabulary },
    positions: length,
    ...{ tokenTypes: 1, causal: config.causal, padId: config.endId ?? 0, continues: false },
    ...(isFixed ? { fixedLength: length } : {}),
    signed: attention.some(({ mechanism: { promises } }) => promises.rows === "free"),
    endIds: config.endId === null ? [] : [config.endId],
    tensors: [
      { name: "embed.weight", shape: [vocabulary, width] },
      ...(positions === "learned" ? [{ name: "positions.weight", shape: [length, width] }] : []),
      ...Array.from({ length: layers }, (_, at) => blockSpecs(config, at)).flat(),
      ...norms[norm].specs("ln_final", width),
      ...(tied ? [] : [{ name: "unembed.weight", shape: [width, vocabulary] }]),
    ],
    canonicalName: (name) => name,
    inputs: isFixed ? names.map((name) => ({ name, dtype: "int32", shape: ["batch", length] })) : names,
    feeds: (batch) => tokenFeeds(batch, arange(batch)),
    build: (context) => {
      const { tap, weight, input: fed } = context;
      const embed = (ids: Value, name: (part: string, value: Value) => Value): Value => {
        const rows = name("embed", build.gather(weight("embed.weight"), ids, 0));
        if (positions !== "learned") return rows;
        return build.add(rows, name("pos_embed", build.gather(weight("positions.weight"), fed("position_ids"), 0)));
      };
      const beside = fixedBeside(context, config, (ids) => embed(ids, (_, value) => value));
      const stream = layersOf(context, config, embed(fed("input_ids"), tap), beside);
      const final = tap("ln_final", norms[norm].apply(context, "ln_final", stream));
      const unembed = tied ? build.transpose(weight("embed.weight"), [1, 0]) : weight("unembed.weight");
      return { logits: build.matMul(final, unembed), last_hidden_state: final };
    },
  };
}
