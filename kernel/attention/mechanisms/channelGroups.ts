import { build } from "../../graph/index.js";
import { channel, channelsOf, ownTokenRows, ownTokens } from "../channels.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface ChannelGroupsOptions {
  readonly scale: Scale;
}

/**
 * Attention among the channels of a head instead of among tokens: each channel sees the whole picture.
 *
 *   A = softmax(scale · kᵀ·v) over its columns [D,D]        z = (A · qᵀ)ᵀ
 *
 * Keys and values make the weights and queries are what is mixed, as the authors' code has it. Heads are channel groups.
 *
 * Range    rows of `channels` sum to 1; the pattern is the identity
 * Source   DaViT, arXiv:2204.03645 §3
 * Differs  the other half of a DaViT, attention within windows, is `halo` without a margin
 */
export const channelGroups: Mechanism<ChannelGroupsOptions> = mechanism({
  name: "channelGroups",
  summary: "attention among the channels of a head; each sees all tokens",
  source: "arXiv:2204.03645 §3",
  differs: "the other half of a DaViT, attention within windows, is `halo` without a margin",
  rows: [145],
  defaults: { scale: "1/√D" },
  promises: { sees: "all", rows: "one", mixesValues: false },
  cost: { time: "T·D²", state: "not causal" },
  build: ({ q, k, v }, { scale }) => {
    const { heads, headDim } = channelsOf("channelGroups", { q, k, v });
    const keys = build.transpose(perHead(k, heads), [0, 1, 3, 2]);
    const affinity = build.matMul(keys, perHead(v, heads)); // [B,H,D,D]
    const channels = build.softmax(build.mul(affinity, scaleOf(scale, headDim)), -1);
    return { channels, pattern: ownTokens(q), z: build.matMul(q, build.transpose(channels, [0, 1, 3, 2])) };
  },
  reference: ({ q, k, v }, { scale }) => {
    const factor = scaleOf(scale, q[0].length);
    const weights = k[0].map((_, c) => softmaxRow(v[0].map((__, d) => factor * dot(channel(k, c), channel(v, d)))));
    return { pattern: ownTokenRows(q), z: q.map((row) => weights.map((weight) => dot(weight, row))) };
  },
  askedOn: { headDim: 3, valueDim: 3 },
});
