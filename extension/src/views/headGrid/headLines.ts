import { createByteCache } from "../../link/byteCache.js";
import { createLatest } from "../../link/latest.js";
import { LiveError, type LiveRun } from "../../link/liveRun.js";
import type { Along, LineSource, ShownLine } from "../../text/lineSource.js";
import type { Words } from "../../words.js";
import { exactText, formatWeight, type HeadAddress, type HeadGridModel } from "./model.js";
import { headName } from "./state.js";

const cacheBytes = 16 << 20;

interface Wish {
  readonly sample: number;
  readonly address: HeadAddress;
  readonly along: Along;
  readonly at: number;
}

/**
 * The rows and columns of the heads of a grid: as the run holds them where the kernel does, else as they are saved.
 * `live` is the kernel's side of the run where it may be asked now.
 */
export function createHeadLines(
  model: HeadGridModel,
  words: Words,
  live: () => LiveRun | undefined,
  arrived: () => void,
): (sample: number, address: HeadAddress) => LineSource {
  const exact = createByteCache<Float32Array>(cacheBytes);
  const nameOf = ({ sample, address, along, at }: Wish): string => `${sample} ${headName(address)} ${along} ${at}`;
  const wishes = createLatest(async (wish: Wish) => {
    const run = live();
    if (!run || exact.get(nameOf(wish))) return;
    const { sample, address, along, at } = wish;
    try {
      const stack = model.payload.live?.stack ?? "";
      const { buffers } = await run.ask({ ask: "line", stack, sample, ...address, along, at });
      const [buffer] = buffers;
      if (!buffer) return;
      const { buffer: whole, byteOffset, byteLength } = buffer;
      exact.set(nameOf(wish), new Float32Array(whole.slice(byteOffset, byteOffset + byteLength)), byteLength);
      arrived();
    } catch (error) {
      // What is saved stays on the screen; the status says why nothing better comes.
      if (!(error instanceof LiveError)) throw error;
    }
  });
  return (sample, address) => {
    const { queryTokens, keyTokens } = model.sample(sample);
    const isOneText =
      queryTokens.length === keyTokens.length && queryTokens.every((token, at) => token === keyTokens[at]);
    return {
      queries: isOneText ? keyTokens : queryTokens,
      keys: keyTokens,
      causal: model.payload.causal,
      top: model.top,
      line(along, at): ShownLine {
        const known = exact.get(nameOf({ sample, address, along, at }));
        if (known && known.length === (along === "query" ? keyTokens : queryTokens).length) {
          const sum = known.reduce((total, weight) => total + weight, 0);
          return { weights: known, drawn: sum, mass: sum, format: exactText, note: undefined };
        }
        if (live()) wishes.want({ sample, address, along, at });
        return savedLine(model, sample, address, along, at, words);
      },
    };
  };
}

/** A line as it is saved: every weight, or for every token the largest weight of its square. */
function savedLine(
  model: HeadGridModel,
  sample: number,
  address: HeadAddress,
  along: Along,
  at: number,
  words: Words,
): ShownLine {
  const { source, codec } = model.fine(sample, address);
  const { weights, columns, block, queries, keys } = source;
  const place = Math.floor(at / block);
  const line = new Float32Array(along === "query" ? keys : queries).map((_, token) => {
    const other = Math.floor(token / block);
    return weights[along === "query" ? place * columns + other : other * columns + place] ?? 0;
  });
  const sum = line.reduce((total, weight) => total + weight, 0);
  return {
    weights: line,
    drawn: sum,
    mass: block === 1 ? sum : undefined,
    format: (weight) => formatWeight(weight, codec, block),
    note: block === 1 ? undefined : words.__("the largest weights of %1 × %1 squares", block),
  };
}
