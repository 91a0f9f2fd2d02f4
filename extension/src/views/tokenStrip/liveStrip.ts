import { niceTop } from "attention-lab/figure";
import { readLines, readTokenStrip, type LiveLines, type TokenStripPayload } from "attention-lab/views";
import { createByteCache } from "../../link/byteCache.js";
import { createLatest } from "../../link/latest.js";
import { LiveError, type LiveRun, type LiveStatus, type SavedReason } from "../../link/liveRun.js";
import type { Along, LineSource, ShownLine } from "../../text/lineSource.js";
import { exactText, formatWeight } from "../headGrid/model.js";
import type { Words } from "../../words.js";

const cacheBytes = 16 << 20;

/** Which head shades a text; `head: null` is the mean over the heads of the layer. */
export type StripHead = Pick<LiveLines, "layer" | "head">;

/** The attention of a strip: as it was saved, and better where the kernel holds the run. */
export interface LiveStrip {
  readonly status: () => LiveStatus;
  readonly source: (payload: TokenStripPayload) => LineSource | undefined;
  /** Asks for the same text by another head; it comes by `arrived`. */
  readonly choose: (head: StripHead) => void;
  readonly dispose: () => void;
}

export interface LiveStripParts {
  readonly words: Words;
  readonly live: LiveRun | undefined;
  readonly saved: SavedReason;
  readonly place: LiveLines | undefined;
  /** Draws again. */
  readonly request: () => void;
  readonly arrived: (payload: TokenStripPayload) => void;
  readonly failed: (reason: string) => void;
}

/** The attention of a figure; nothing is asked before a word is pointed at. */
export function createLiveStrip({ words, live, saved, place, request, arrived, failed }: LiveStripParts): LiveStrip {
  const exact = createByteCache<Float32Array>(cacheBytes);
  const sources = new WeakMap<TokenStripPayload, LineSource>();
  let isDisposed = false;
  const status = (): LiveStatus => live?.status.state.now ?? { state: "saved", reason: saved };
  const nameOf = ({ layer, head }: StripHead, along: Along, at: number): string => `${layer}.${head} ${along} ${at}`;

  const lines = createLatest(async ({ head, along, at }: { head: StripHead; along: Along; at: number }) => {
    if (!live || !place || exact.get(nameOf(head, along, at))) return;
    const { stack, sample } = place;
    try {
      const { layer, head: number } = head;
      const { buffers } = await live.ask({ ask: "line", stack, sample, layer, head: number, along, at });
      const [buffer] = buffers;
      if (!buffer || isDisposed) return;
      const { buffer: whole, byteOffset, byteLength } = buffer;
      const weights = new Float32Array(whole.slice(byteOffset, byteOffset + byteLength));
      exact.set(nameOf(head, along, at), weights, byteLength);
      request();
    } catch (error) {
      // What is saved stays; the status says why nothing better comes.
      if (!(error instanceof LiveError)) throw error;
    }
  });

  const sourceOf = (payload: TokenStripPayload): LineSource | undefined => {
    const { attention, tokens, live: named, values } = payload;
    if (!attention) return undefined;
    const reader = readLines(attention, tokens.length);
    const queries = attention.queries ?? tokens;
    const seeing = (key: number): number =>
      attention.causal ? queries.length - Math.max(0, key - (tokens.length - queries.length)) : queries.length;
    const massOf = (along: Along, at: number): number | undefined => {
      const received = values[at];
      if (along === "query") return attention.mass[at];
      return typeof received === "number" ? received * seeing(at) : undefined;
    };
    return {
      queries,
      keys: tokens,
      causal: attention.causal,
      top: niceTop(attention.largest),
      line(along, at): ShownLine {
        const known = named && exact.get(nameOf(named, along, at));
        const expected = along === "query" ? tokens.length : queries.length;
        if (known && known.length === expected) {
          const sum = known.reduce((total, weight) => total + weight, 0);
          return { weights: known, drawn: sum, mass: sum, format: exactText, note: undefined };
        }
        if (named && status().state === "live") lines.want({ head: named, along, at });
        const { weights, drawn } = along === "query" ? reader.row(at) : reader.column(at);
        return {
          ...{ weights, drawn, mass: massOf(along, at) },
          format: (weight) => formatWeight(weight, "float16", 1),
          note: reader.isWhole ? undefined : words.__("the %1 largest weights of each query are saved", attention.kept),
        };
      },
    };
  };

  const choices = createLatest(async (head: StripHead) => {
    if (!live || !place) return;
    try {
      const { data } = await live.ask({ ask: "strip", stack: place.stack, sample: place.sample, ...head });
      if (!isDisposed) arrived(readTokenStrip(data["payload"]));
    } catch (error) {
      if (!isDisposed) failed(error instanceof Error ? error.message : String(error));
    }
  });

  const stop = live?.status.listen(request);
  return {
    status,
    source(payload) {
      const known = sources.get(payload) ?? sourceOf(payload);
      if (known) sources.set(payload, known);
      return known;
    },
    choose: (head) => choices.want(head),
    dispose(): void {
      isDisposed = true;
      stop?.();
    },
  };
}
