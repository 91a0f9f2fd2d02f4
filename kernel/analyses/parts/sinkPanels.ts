import type { Tensor } from "../../tensor/index.js";
import {
  curves,
  curvesMime,
  matrix,
  matrixMime,
  panels,
  type Panel,
  type PanelsPayload,
  type Provenance,
} from "../../views/index.js";
import type { SecondarySink } from "./secondarySinks.js";

/** What of a sink report is drawn. */
export interface DrawnSinks {
  readonly title: string;
  readonly summary: string;
  readonly layers: number;
  readonly headCount: number;
  /** How many keys every prompt has. */
  readonly keys: number;
  readonly provenance: Provenance;
  readonly samples: readonly {
    readonly tokens: readonly string[];
    /** α_k, [L,H,K]. */
    readonly received: Tensor;
    readonly secondary: readonly SecondarySink[];
  }[];
  readonly heads: readonly { readonly received: number; readonly drain: number }[];
  readonly residualPeaks: readonly { readonly first: number; readonly others: number }[];
  curve(key: number): readonly { readonly epsilon: number; readonly rate: number }[];
}

/** Keys that have an ε-curve, and tokens of the first prompt that are drawn. */
const [shownKeys, shownTokens] = [4, 256];

/** The pictures of a sink report. */
export function sinkPanels(report: DrawnSinks): PanelsPayload {
  const [title, ...summary] = report.summary.split("\n");
  return panels(
    title,
    [epsilonCurves(report), ...headMaps(report), tokenMap(report), norms(report), ...lifetimes(report)],
    { summary, provenance: report.provenance },
  );
}

/** The ε-curves of the first keys. */
export function epsilonCurves(report: DrawnSinks): Panel & { readonly mime: typeof curvesMime } {
  const list = Array.from({ length: Math.min(shownKeys, report.keys) }, (_, key) => {
    const points = report.curve(key);
    const last = points.at(-1);
    const ends = last && last.epsilon < 1 ? [...points, { epsilon: 1, rate: last.rate }] : points;
    return { name: `key ${key}`, x: ends.map(({ epsilon }) => epsilon), y: ends.map(({ rate }) => rate) };
  });
  const axes = { xLabel: "threshold ε", yLabel: "share of heads with α > ε", shape: "step" } as const;
  const { title, provenance } = report;
  return {
    name: "ε-curves",
    mime: curvesMime,
    payload: curves(list, { title: `Sinks of ${title}`, ...axes, provenance }),
  };
}

const numbered = (name: string, count: number): { readonly name: string; readonly labels: readonly string[] } => ({
  name,
  labels: Array.from({ length: count }, (_, at) => String(at)),
});

function headMaps({ title, layers, headCount, heads }: DrawnSinks): readonly Panel[] {
  const rows = (of: (head: DrawnSinks["heads"][number]) => number): readonly number[][] =>
    Array.from({ length: layers }, (_, layer) => heads.slice(layer * headCount, (layer + 1) * headCount).map(of));
  const axes = { rows: numbered("layer", layers), columns: numbered("head", headCount) };
  const received = matrix(rows((head) => head.received), {
    title: `Attention on token 0 of ${title}`,
    measure: "attention that token 0 receives, mean over queries and prompts",
    kind: "sequential",
    ...axes,
  }); // prettier-ignore
  const drain = matrix(rows((head) => Math.log2(head.drain)), {
    title: `Value drain of ${title}`,
    measure: "log₂ of ‖W_O v‖ of token 0 over the mean of the others",
    kind: "diverging",
    ...axes,
    notes: ["Below 0 the value of token 0 is drained: much attention moves little."],
  }); // prettier-ignore
  return [
    { name: "heads", mime: matrixMime, payload: received },
    { name: "drain", mime: matrixMime, payload: drain },
  ];
}

function tokenMap({ title, layers, headCount, samples }: DrawnSinks): Panel {
  const [{ tokens, received }] = samples;
  const labels = tokens.slice(0, shownTokens);
  const values = Array.from({ length: layers }, (_, layer) =>
    labels.map((_, key) => {
      const heads = Array.from({ length: headCount }, (_, head) => received.item(layer, head, key));
      return heads.reduce((sum, alpha) => sum + alpha, 0) / headCount;
    }),
  );
  const cut = labels.length < tokens.length ? [`The first ${labels.length} of ${tokens.length} tokens.`] : [];
  const payload = matrix(values, {
    title: `Attention received in ${title}`,
    measure: "attention received, mean over heads and queries",
    kind: "sequential",
    rows: numbered("layer", layers),
    columns: { name: "token", labels },
    notes: ["The first prompt.", ...cut],
  });
  return { name: "layer × token", mime: matrixMime, payload };
}

function norms({ title, residualPeaks }: DrawnSinks): Panel {
  const x = residualPeaks.map((_, state) => state);
  const list = [
    { name: "token 0", x, y: residualPeaks.map(({ first }) => first) },
    { name: "largest other token", x, y: residualPeaks.map(({ others }) => others) },
  ];
  const payload = curves(list, {
    title: `Residual stream of ${title}`,
    xLabel: "state (0 is what the first block reads)",
    yLabel: "‖h‖, mean over prompts",
    yScale: "log",
  });
  return { name: "norms", mime: curvesMime, payload };
}

/** Where secondary sinks of the prompt that has most begin, and how long they last; nothing where there are none. */
function lifetimes({ title, layers, samples }: DrawnSinks): readonly Panel[] {
  const real = samples.map(({ tokens, secondary }, prompt) => ({
    prompt,
    labels: tokens.slice(0, shownTokens),
    sinks: secondary.filter(({ kind, position }) => kind !== "noise" && position < shownTokens),
  }));
  const most = real.reduce((a, b) => (b.sinks.length > a.sinks.length ? b : a));
  if (most.sinks.length === 0) return [];
  const values = Array.from({ length: layers + 1 }, () => new Array<number>(most.labels.length).fill(NaN));
  for (const { position, createdAfter, lifetime } of most.sinks) values[createdAfter + 1][position] = lifetime;
  const payload = matrix(values, {
    title: `Secondary sinks of ${title}`,
    measure: "lifetime in states, at the state where it begins",
    kind: "sequential",
    rows: numbered("state", layers + 1),
    columns: { name: "token", labels: most.labels },
    notes: [`Prompt ${most.prompt}, of all prompts the one with most of them.`],
  });
  return [{ name: "lifetimes", mime: matrixMime, payload }];
}
