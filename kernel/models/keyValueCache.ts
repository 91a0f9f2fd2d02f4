import { Tensor } from "../tensor/index.js";
import { keyInputs, stateNames } from "./continuation.js";
import type { Blueprint } from "./family.js";
import { rightPadded } from "./prompts.js";
import type { Pass, Reader, Text } from "./reader.js";
import { patternAt, patternNames } from "./reader.js";

/** Room grows by this many positions at once, so that a graph meets few shapes. */
const roomStep = 64;

const parts = ["keys", "values"] as const;

/** One text's keys and values: per layer and part [G, room, D]. */
interface Row {
  length: number;
  room: number;
  /** Two per layer: keys, values. */
  states: Float32Array[];
}

/** Widens a row's room; what it holds stays at its positions. */
function widen(row: Row, room: number, groups: number, headDim: number): void {
  if (row.room >= room) return;
  row.states = row.states.map((held) => {
    const wider = new Float32Array(groups * room * headDim);
    for (let group = 0; group < groups; group++) {
      const start = group * row.room * headDim;
      wider.set(held.subarray(start, start + row.length * headDim), group * room * headDim);
    }
    return wider;
  });
  row.room = room;
}

/** Feeds of one step: of every input, the columns of the new tokens, or those of all keys. */
function stepFeeds(blueprint: Blueprint, texts: readonly Text[], rows: readonly Row[]): Record<string, Tensor> {
  const { padId, inputs } = blueprint;
  const batch = rightPadded(
    texts.map(({ ids }) => ids),
    padId,
  );
  const whole = blueprint.feeds(batch);
  const [{ room }] = rows;
  const fresh = Math.max(...texts.map(({ ids }, b) => ids.length - rows[b].length));
  const feeds: Record<string, Tensor> = {
    last: new Tensor(
      "int32",
      [texts.length],
      Int32Array.from(texts, ({ ids }) => ids.length - 1),
    ),
  };
  for (const name of inputs) {
    // Whatever is no row of numbers per text is given beside.
    if (typeof name !== "string") continue;
    const earlier = keyInputs.includes(name) ? room : 0;
    const data = new Int32Array(texts.length * (earlier + fresh));
    rows.forEach(({ length }, b) => {
      const start = b * (earlier + fresh);
      const own = whole[name].data.subarray(b * batch.length, (b + 1) * batch.length) as Int32Array;
      data.set(own.subarray(0, Math.min(earlier, length)), start);
      data.set(own.subarray(length, length + fresh), start + earlier);
    });
    feeds[name] = new Tensor("int32", [texts.length, earlier + fresh], data);
  }
  return feeds;
}

/**
 * Reads only the tokens that are new, and keeps the keys and values of all others: a step costs one token for each text.
 * Where the length of a text changes how its earlier tokens are turned, all is read again.
 *
 * Range    what {@link rereader} reads, to rounding
 */
export function cachedReader(
  blueprint: Blueprint,
  pass: Pass,
  withPatterns: boolean,
  beside: (texts: readonly Text[]) => Promise<Readonly<Record<string, Tensor>>> = async () => Promise.resolve({}),
): Reader {
  const { layers, heads, kvHeads: groups = heads, headDim, regime = () => "" } = blueprint;
  const names = patternNames(blueprint);
  const slots = Array.from({ length: layers }, (_, layer) => parts.map((part) => ({ part, layer }))).flat();
  const known = new Map<number, Row>();
  let current: string | undefined;

  /** The past of all rows, and the rows, all with one room. */
  const opened = (texts: readonly Text[]): readonly Row[] => {
    const now = regime(Math.max(...texts.map(({ ids }) => ids.length)));
    if (now !== current) known.clear();
    current = now;
    const rows = texts.map(({ prompt }) => {
      const row = known.get(prompt) ?? { length: 0, room: 0, states: slots.map(() => new Float32Array(0)) };
      known.set(prompt, row);
      return row;
    });
    const room = Math.ceil(Math.max(...rows.map(({ length }) => length)) / roomStep) * roomStep;
    for (const row of rows) widen(row, room, groups, headDim);
    return rows;
  };

  const pastOf = (rows: readonly Row[], slot: number): Float32Array => {
    if (rows.length === 1) return rows[0].states[slot];
    const size = rows[0].states[slot].length;
    const all = new Float32Array(rows.length * size);
    rows.forEach(({ states }, b) => all.set(states[slot], b * size));
    return all;
  };

  /** Puts the keys or values of new tokens behind those of a row, [B,G,Q,D]. */
  const append = (row: Row, b: number, slot: number, { shape, data }: Tensor, count: number): void => {
    const fresh = shape[2];
    for (let group = 0; group < groups; group++) {
      const from = (b * groups + group) * fresh * headDim;
      const to = (group * row.room + row.length) * headDim;
      row.states[slot].set((data as Float32Array).subarray(from, from + count * headDim), to);
    }
  };

  return async (texts) => {
    const rows = opened(texts);
    const [{ room }] = rows;
    const feeds = { ...stepFeeds(blueprint, texts, rows), ...(await beside(texts)) };
    slots.forEach(({ part, layer }, slot) => {
      feeds[stateNames.past(part, layer)] = new Tensor(
        "float32",
        [texts.length, groups, room, headDim],
        pastOf(rows, slot),
      );
    });
    const fresh = slots.map(({ part, layer }) => stateNames.fresh(part, layer));
    const results = await pass(feeds, ["logits", ...fresh, ...(withPatterns ? names : [])]);
    return texts.map(({ ids }, b) => {
      const row = rows[b];
      const count = ids.length - row.length;
      const columns = [...ids.keys()].map((t) => (t < row.length ? t : room + t - row.length));
      const patterns = withPatterns ? names.map((name) => results[name]) : [];
      const reading = {
        logits: results["logits"].slice(b, 0).data.slice() as Float32Array,
        pattern: withPatterns ? patternAt(patterns, b, count - 1, columns) : undefined,
      };
      widen(row, Math.ceil(ids.length / roomStep) * roomStep, groups, headDim);
      fresh.forEach((name, slot) => append(row, b, slot, results[name], count));
      row.length = ids.length;
      return reading;
    });
  };
}
