import type { Run, RunHeading } from "../models/index.js";
import { checkOptions, showWith, type MimeBundle } from "../tensor/index.js";
import {
  attributionGraphMime,
  attributionGraphText,
  attributionGraph as payloadOf,
  type AttributionGraphPayload,
  type NamedEdge,
} from "../views/index.js";
import { EdgeScores } from "./edgeScores.js";

export interface AttributionGraphOptions {
  /** Default: the caption of the scores. */
  readonly title?: string;
  /** What a weight is; default "attribution". */
  readonly measure?: string;
  /** The text whose tokens ends stand at, where they have a `fromPosition` and a `toPosition`. */
  readonly tokens?: readonly string[];
  /** The run in whose head grid chosen heads are shown; a model with one kind of attention. */
  readonly run?: Run;
  readonly notes?: readonly string[];
}

/** Edges between parts of a model as a graph. Immutable; shows itself. */
export class AttributionGraph {
  readonly #payload: () => Promise<AttributionGraphPayload>;

  constructor(payload: () => Promise<AttributionGraphPayload>) {
    this.#payload = payload;
  }

  async bundle(): Promise<MimeBundle> {
    const payload = await this.#payload();
    return { [attributionGraphMime]: payload, "text/plain": attributionGraphText(payload) };
  }
}

showWith(AttributionGraph.prototype, (graph) => graph.bundle());

/**
 * Edges as a graph: layers upwards, heads in columns, thickness by size and colour by sign. Takes the scores of
 * `edgeAttribution`, or rows of any other method, such as path patching.
 *
 * Throws   PayloadError on ends that are no parts of a model, or weights that are not finite; OptionError on an unknown option
 * Example  attributionGraph([{ from: "0.3", fromPosition: 2, to: "1.2 k", toPosition: 5, score: 0.4 }], { tokens: run.tokens[0] })
 * Example  attributionGraph([{ from: "0.3", to: "1.2 q", score: 0.4 }, { from: "1.2", to: "logits", score: 0.3 }])
 */
export function attributionGraph(
  edges: EdgeScores | readonly NamedEdge[],
  options: AttributionGraphOptions = {},
): AttributionGraph {
  checkOptions("attributionGraph", options, ["title", "measure", "tokens", "run", "notes"]);
  const { run, ...words } = options;
  const scores = edges instanceof EdgeScores ? edges : undefined;
  const rows = edges instanceof EdgeScores ? edges.rows : edges;
  const made = (of?: RunHeading): AttributionGraphPayload =>
    payloadOf(rows, {
      title: scores?.caption ?? "Edges",
      sharedKeys: scores?.sharedKeys ?? false,
      ...words,
      ...(of ? { provenance: of.provenance } : {}),
      live: of?.sharedAs === undefined ? undefined : { run: of.sharedAs, stack: run?.stacks[0].name ?? "" },
    });
  made(); // what cannot be drawn is refused here, not when it is shown
  return new AttributionGraph(async () => made(await run?.heading()));
}
