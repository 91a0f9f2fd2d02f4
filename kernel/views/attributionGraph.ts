import { checkOptions } from "../tensor/errors.js";
import {
  attributionGraphCaps,
  attributionGraphVersion,
  type AttributionGraphPayload,
  type GraphKind,
} from "./attributionGraphPayload.js";
import type { LiveName } from "./headGridPayload.js";
import { clip, headingCaps, rounded, type Provenance } from "./heading.js";
import { PayloadError } from "./payloadError.js";

export { attributionGraphMime, type AttributionGraphPayload, type GraphKind } from "./attributionGraphPayload.js";
export { attributionGraphText } from "./attributionGraphText.js";
export { readAttributionGraph } from "./readAttributionGraph.js";

/** An edge by the names of its ends: `embed`, `0.3` for a head, `mlp 0` → `1.2 q`, `1.2`, `mlp 1`, `logits`. */
export interface NamedEdge {
  readonly from: string;
  readonly to: string;
  readonly score: number;
  /** At which token each end stands, where edges are told apart by it. */
  readonly fromPosition?: number;
  readonly toPosition?: number;
}

/** What stands around the edges. */
export interface AttributionGraphOptions {
  readonly title: string;
  /** What a weight is; default "attribution". */
  readonly measure?: string;
  /** Whether heads of keys and values are fewer than heads: `1.0 k` is then not of head 0 alone. Default false. */
  readonly sharedKeys?: boolean;
  /** The text, where ends have positions: a column for each position. */
  readonly tokens?: readonly string[];
  /** Most edges stored, the largest: default 6 000 (about 0.15 MB). */
  readonly most?: number;
  readonly notes?: readonly string[];
  readonly provenance?: Provenance;
  /** The run in whose figures heads are chosen. */
  readonly live?: LiveName | undefined;
}

interface End {
  readonly name: string;
  readonly kind: GraphKind;
  readonly layer: number;
  readonly head: number;
  readonly input: string;
  /** -1: at every token. */
  readonly position: number;
}

/**
 * The payload of an attribution graph: its largest edges, and the weight of all.
 *
 * Range    6 significant digits; edges of weight 0 are counted, not stored
 * Throws   PayloadError on a position outside of the text, without an edge that weighs something, on a name that is no part of a model, or a weight that is not finite;
 *          OptionError on an unknown option
 * Example  attributionGraph([{ from: "0.3", to: "1.2 q", score: 0.4 }], { title: "EAP of gpt2" })
 */
export function attributionGraph(
  edges: readonly NamedEdge[],
  options: AttributionGraphOptions,
): AttributionGraphPayload {
  checkOptions("attributionGraph", options, [
    ...["title", "measure", "sharedKeys", "tokens", "most", "notes", "provenance", "live"],
  ]);
  const { title, measure = "attribution", sharedKeys = false, most = 6_000, notes = [], provenance = {} } = options;
  const { tokens } = options;
  const odd = edges.find(({ score }) => !Number.isFinite(score));
  if (odd) throw new PayloadError(`attributionGraph: expected finite weights, got ${odd.score} from ${odd.from}`);
  const kept = edges
    .filter(({ score }) => score !== 0)
    .sort((a, b) => Math.abs(b.score) - Math.abs(a.score))
    .slice(0, Math.min(most, attributionGraphCaps.edges));
  if (kept.length === 0) {
    throw new PayloadError(`attributionGraph: expected an edge that weighs something, got ${edges.length} of weight 0`);
  }
  const placed = (end: End, position: number | undefined): End => standing(end, position, tokens?.length);
  const ends = kept.map(({ from, to, score, fromPosition, toPosition }) => ({
    from: placed(endOf(from, false), fromPosition),
    to: placed(endOf(to, sharedKeys), toPosition),
    score,
  }));
  const all = edges.flatMap(({ from, to }) => [endOf(from, false), endOf(to, sharedKeys)]);
  const largest = (of: (end: End) => number): number => all.reduce((most, end) => Math.max(most, of(end)), 0) + 1;
  const layers = largest(({ layer }) => layer);
  const byName = new Map(ends.flatMap(({ from, to }) => [from, to]).map((end) => [end.name, end]));
  const nodes = [...byName.values()].sort(
    (a, b) => depthOf(a, layers) - depthOf(b, layers) || a.position - b.position || a.head - b.head,
  );
  const placeOf = new Map(nodes.map(({ name }, at) => [name, at]));
  const { live } = options;
  return {
    view: "attribution-graph",
    version: attributionGraphVersion,
    title: clip(title, headingCaps.titleLength),
    measure: clip(measure, attributionGraphCaps.measureLength),
    ...{ layers, heads: largest(({ head }) => head) },
    nodes: {
      name: nodes.map(({ name }) => name),
      kind: nodes.map(({ kind }) => kind),
      layer: nodes.map(({ layer }) => layer),
      head: nodes.map(({ head }) => head),
      ...(nodes.some(({ position }) => position >= 0) ? { position: nodes.map(({ position }) => position) } : {}),
    },
    edges: {
      from: ends.map(({ from }) => placeOf.get(from.name) ?? 0),
      to: ends.map(({ to }) => placeOf.get(to.name) ?? 0),
      input: ends.map(({ to }) => to.input),
      weight: ends.map(({ score }) => rounded(score) ?? 0),
    },
    all: { edges: edges.length, weight: rounded(edges.reduce((sum, { score }) => sum + Math.abs(score), 0)) ?? 0 },
    ...(tokens ? { tokens: tokens.map((token) => clip(token, attributionGraphCaps.tokenLength)) } : {}),
    notes: [...notes, ...(sharedKeys ? ["kv: a head of keys and values that several heads share"] : [])]
      .slice(0, headingCaps.notes)
      .map((note) => clip(note, headingCaps.textLength)),
    provenance,
    ...(live ? { live } : {}),
  };
}

/** An end at one token. */
function standing(end: End, position: number | undefined, length: number = attributionGraphCaps.tokens): End {
  if (position === undefined) return end;
  if (Number.isInteger(position) && position >= 0 && position < length) {
    return { ...end, name: `${end.name} @${position}`, position };
  }
  throw new PayloadError(
    `attributionGraph: ${end.name}: expected a position in 0 … ${length - 1}, got ${String(position)}`,
  );
}

function endOf(name: string, sharedKeys: boolean): End {
  const whole = { layer: -1, head: -1, input: "", position: -1 };
  if (name === "embed") return { ...whole, name, kind: "input" };
  if (name === "logits") return { ...whole, name, kind: "output" };
  const [, mlp] = /^mlp (\d+)$/.exec(name) ?? [];
  if (mlp !== undefined) return { ...whole, name, kind: "mlp", layer: Number(mlp) };
  const [, layer, head, input = ""] = /^(\d+)\.(\d+)(?: ([qkv]))?$/.exec(name) ?? [];
  if (layer === undefined) {
    throw new PayloadError(
      `attributionGraph: unknown end "${clip(name, 40)}"; expected "embed", "0.3", "0.3 q", "mlp 0" or "logits"`,
    );
  }
  const isShared = sharedKeys && (input === "k" || input === "v");
  return {
    name: isShared ? `${layer}.kv${head}` : `${layer}.${head}`,
    kind: isShared ? "keys" : "head",
    ...{ layer: Number(layer), head: Number(head), input, position: -1 },
  };
}

/** How far up the stream a node stands: an MLP after the heads of its layer. */
function depthOf({ kind, layer }: End, layers: number): number {
  if (kind === "input") return -1;
  return kind === "output" ? 3 * layers : 3 * layer + (kind === "mlp" ? 2 : kind === "head" ? 1 : 0);
}
