import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import type { Site, TokenSet } from "../../models/index.js";
import { tokenMask } from "../../models/index.js";
import { Tensor, UnsupportedError } from "../../tensor/index.js";

/**
 * One part of the attention of every layer, each measured by itself, on an axis of layers.
 *
 * Shapes   measured [B,…] → [B,L,…]
 * Throws   UnsupportedError for a model whose layers are not one stack
 */
export function overLayers(site: Site, part: string, measured: (value: Value, layer: number) => Value): Value {
  const layers = Array.from({ length: site.model.layers }, (_, layer) => `blocks.${layer}.${part}`);
  if (layers.some((address) => !site.addresses.includes(address))) {
    throw new UnsupportedError(`probes: ${site.model.architecture} has no "blocks.*.${part}" in every layer`);
  }
  return build.concat(
    layers.map((address, layer) => build.unsqueeze(measured(site.at(address), layer), [1])),
    1,
  );
}

/** The pattern without the attention to some keys; rows are not normalised again. */
export function without(place: string, site: Site, pattern: Value, keys: TokenSet | undefined): Value {
  if (keys === undefined) return pattern;
  const hidden = site.feed(`${place} without`, tokenMask(place, keys, site), ["batch", "query"]);
  return build.where(build.unsqueeze(hidden, [1, 2]), 0, pattern);
}

/** 1 where a key is not among these, and is no padding, [B,K] float32: a product with it sums over the keys that are left. */
export function keptKeys(place: string, site: Site, keys: TokenSet): Value {
  const hidden = tokenMask(place, keys, site);
  const kept = Float32Array.from(hidden.data, (isHidden, i) => (isHidden ? 0 : site.batch.attentionMask[i]));
  return site.feed(`${place} kept`, new Tensor("float32", hidden.shape, kept), site.real.shape);
}

/** Σ over the keys that are left of x[q,k], [B,H,Q]. */
export function overKept(x: Value, kept: Value): Value {
  return build.squeeze(build.matMul(x, build.unsqueeze(kept, [1, 3])), [3]);
}

/** x / y, and 0 where y is 0. */
export function ratio(x: Value | number, y: Value): Value {
  const isSome = build.greater(y, 0);
  return build.where(isSome, build.div(x, build.where(isSome, y, 1)), 0);
}

/** The least float32 that is not denormal. */
const least = 1.1754943508222875e-38;

/** p ln p, with 0 ln 0 = 0; of a softmax over keys from its scores, which costs half of a logarithm. */
export function timesLog(p: Value): Value {
  const isSoftmax = p.op === "Softmax" && p.attributes["axis"] === p.shape.length - 1;
  if (!isSoftmax) return build.mul(p, build.log(build.maximum(p, least)));
  const logarithm = build.apply("LogSoftmax", p.inputs, p.attributes);
  return build.mul(p, build.maximum(logarithm, Math.log(least))); // hidden scores may be −∞
}

/** How far each key lies from each query, in tokens, [Q,K]: no larger than a table of one head, and shared by all. */
export function distances(site: Site): Value {
  const order = positions(site);
  return build.abs(build.sub(build.unsqueeze(order, [1]), build.unsqueeze(order, [0])));
}

/** Positions 0, 1, 2 …, [length], on the axis word of a pattern's queries. */
export function positions(site: Site): Value {
  const { length } = site.batch;
  const data = Float32Array.from({ length }, (_, t) => t);
  return site.feed("positions", new Tensor("float32", [length], data), [site.real.shape[1]]);
}

/** Each real query's share in a mean over them, [B,1,Q]. */
export function queryShares({ real }: Site): Value {
  const total = build.reduceSum(real, [1], true);
  return build.unsqueeze(build.div(real, total), [1]);
}
