import {
  decodeTile,
  isSameAblation,
  type HeadAblation,
  type HeadEffect,
  type HeadGridPayload,
} from "attention-lab/views";
import { createLatest } from "../../link/latest.js";
import { LiveError, type LiveAnswer, type LiveRun, type LiveStatus, type SavedReason } from "../../link/liveRun.js";
import type { Words } from "../../words.js";
import type { ExactWeight, HeadAddress, HeadGridModel, Square } from "./model.js";
import { tallest } from "./focusSize.js";
import { sameHead, type HeadGridState, type HeadGridStore } from "./state.js";

/** What a head grid asks of the kernel that drew it. */
export interface LiveHead {
  readonly status: () => LiveStatus;
  /** Takes a head out and has the model run again; what changed comes into the store. */
  readonly ablate: (address: HeadAddress, mode: HeadAblation) => void;
  readonly cancel: () => void;
  readonly dispose: () => void;
}

export interface LiveHeadParts {
  readonly payload: HeadGridPayload;
  readonly model: HeadGridModel;
  readonly store: HeadGridStore;
  readonly words: Words;
  /** Absent where no kernel may be asked, and then `saved` says why. */
  readonly live: LiveRun | undefined;
  readonly saved: SavedReason;
  /** A new effect has come. */
  readonly found: (effect: HeadEffect) => void;
  /** Draws again. */
  readonly request: () => void;
}

/** A tile has at most so many weights: 2 MB on the way. */
const mostWeights = 1_100_000;

/** The side of the squares in which a head of that size is asked for: as fine as the screen shows it. */
export function coarsenessFor(queries: number, keys: number, pixels: number): number {
  const most = Math.min(mostWeights, pixels * pixels);
  let block = 1;
  while (Math.ceil(queries / block) * Math.ceil(keys / block) > most) block++;
  return block;
}

export function createLiveHead(parts: LiveHeadParts): LiveHead {
  const { payload, model, store, words, live, saved, found, request } = parts;
  const status = (): LiveStatus => live?.status.state.now ?? { state: "saved", reason: saved };
  const stack = payload.live?.stack ?? "";
  let controller: AbortController | undefined;
  let isDisposed = false;

  const ask = async (name: string, address: HeadAddress, more: object): Promise<LiveAnswer | undefined> => {
    try {
      return await live?.ask({ ask: name, stack, ...address, ...more });
    } catch (error) {
      // What is saved stays on the screen; the status says why nothing finer comes.
      if (error instanceof LiveError) return undefined;
      throw error;
    }
  };
  const arrived = (): void => {
    if (!isDisposed) store.set({ arrived: store.state.arrived + 1 });
  };

  const tiles = createLatest(async ({ sample, address }: { sample: number; address: HeadAddress }) => {
    const { queryTokens, keyTokens } = model.sample(sample);
    const pixels = Math.ceil(tallest * (window.devicePixelRatio || 1));
    const block = coarsenessFor(queryTokens.length, keyTokens.length, pixels);
    if (!needsTile(sample, address, block)) return;
    const answer = await ask("tile", address, { sample, coarseness: block - 1 });
    const [kept, coded] = (answer?.buffers ?? []).map(bytesOf);
    const { rows, columns } = answer?.data ?? {};
    if (!kept || !coded || rows !== Math.ceil(queryTokens.length / block) || columns !== Math.ceil(keyTokens.length / block)) return; // prettier-ignore
    const weights = decodeTile({ kept, weights: coded }, rows, columns);
    if (!weights) return;
    const before = model.fine(sample, address).source.block;
    model.keepTile(sample, address, { weights, rows, columns, block });
    const { focused, pinned } = store.state;
    if (pinned && before !== block && sameHead(focused, address)) {
      const scaled = (at: number): number => Math.floor((at * before) / block);
      store.set({ pinned: { row: scaled(pinned.row), column: scaled(pinned.column) } });
    }
    arrived();
  });

  const needsTile = (sample: number, address: HeadAddress, block: number): boolean => {
    const { source, codec } = model.fine(sample, address);
    return source.block > block || (source.block === block && codec === "sqrt8");
  };

  const weights = createLatest(async (wish: { sample: number; address: HeadAddress; square: Square }) => {
    const { sample, address, square } = wish;
    const { block } = model.fine(sample, address).source;
    const answer = await ask("weight", address, { sample, ...square, coarseness: block - 1 });
    const { query, key, weight, rank } = answer?.data ?? {};
    if ([query, key, weight, rank].some((part) => typeof part !== "number")) return;
    model.keepWeight(sample, address, square, { query, key, weight, rank } as ExactWeight);
    arrived();
  });

  const look = (state: HeadGridState, before?: HeadGridState): void => {
    if (status().state !== "live") return;
    const { focused, sample, pointed, pinned } = state;
    if (focused && !(sameHead(before?.focused, focused) && before?.sample === sample)) {
      tiles.want({ sample, address: focused });
    }
    const here = pointed?.isFine ? pointed.square : pointed ? undefined : pinned;
    if (focused && here && (pointed !== before?.pointed || pinned !== before?.pinned)) {
      weights.want({ sample, address: focused, square: here });
    } else if (!here) weights.drop();
  };
  const stopStore = store.listen(look);
  const stopStatus = live?.status.listen(() => {
    look(store.state);
    request();
  });
  look(store.state);

  const run = async (address: HeadAddress, mode: HeadAblation): Promise<void> => {
    const { sample } = store.state;
    const known = store.state.effects.find((effect) => isSameAblation(effect, { ...address, mode, sample }));
    if (known) {
      store.set({ ablating: undefined });
      return found(known);
    }
    const { signal } = (controller = new AbortController());
    const question = { ask: "ablate", stack, ...address, sample, mode };
    try {
      const answer = await live?.ask(question, {
        signal,
        onProgress: (progress) => store.set({ ablating: { progress } }),
      });
      const effect = answer?.data["effect"] as HeadEffect | undefined;
      store.set({ ablating: undefined, failure: undefined });
      if (effect) found(effect);
    } catch (error) {
      const reason = error instanceof LiveError && error.kind === "cancelled" ? undefined : messageOf(error);
      store.set({ ablating: undefined, failure: reason && words.__("Not ablated: %1", reason) });
    }
  };

  return {
    status,
    ablate(address, mode) {
      if (status().state !== "live" || store.state.ablating) return;
      store.set({ current: address, focused: address, mode, ablating: { progress: { state: "sent" } } });
      void run(address, mode);
    },
    cancel: () => controller?.abort(),
    dispose(): void {
      isDisposed = true;
      controller?.abort();
      stopStore();
      stopStatus?.();
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: DataView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
