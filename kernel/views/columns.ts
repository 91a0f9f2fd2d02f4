import { formatShape } from "../tensor/shape.js";
import { ablationMeasures, ablationTableMime, type AblationTablePayload } from "./ablationTable.js";
import { attributionGraphMime, type AttributionGraphPayload } from "./attributionGraph.js";
import { curvesMime, type CurvesPayload } from "./curves.js";
import { generationMime, type GenerationPayload } from "./generation.js";
import { headGridMime, type HeadGridPayload } from "./headGrid.js";
import { headGridsMime } from "./headGrids.js";
import { headPairMime } from "./headPair.js";
import { headScalarNames } from "./headScalars.js";
import { audioTimelineMime, type AudioTimelinePayload } from "./audioTimeline.js";
import { imageOverlayMime, type ImageOverlayPayload } from "./imageOverlay.js";
import { matrixMime, type MatrixPayload } from "./matrix.js";
import { modelDiagramMime, type ModelDiagramPayload } from "./modelDiagram.js";
import { panelsMime } from "./panels.js";
import { PayloadError } from "./payloadError.js";
import { scatterMime, type ScatterPayload } from "./scatter.js";
import { readPatterns } from "./patternStore.js";
import { payloads, type PayloadMime, type PayloadTypes } from "./payloads.js";
import { tokenStripMime } from "./tokenStrip.js";

/** A column of the numbers behind a figure; `null` where there is none. */
export interface Column {
  readonly name: string;
  readonly values: readonly (string | number | null)[];
}

/**
 * The numbers behind a figure, as columns of equal length.
 *
 * Throws   PayloadError when the payload is invalid, or a report of several pictures with different columns
 */
export function columnsOf<Mime extends PayloadMime>(mime: Mime, payload: unknown): readonly Column[] {
  return tables[mime](payloads[mime].read(payload));
}

/** Columns as comma-separated values; texts quoted where they need it (RFC 4180). */
export function columnsCsv(columns: readonly Column[]): string {
  const quoted = (value: string | number | null | undefined): string => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = (columns[0]?.values ?? []).map((_, row) => columns.map(({ values }) => quoted(values[row])).join(","));
  return [columns.map(({ name }) => quoted(name)).join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

const tables: { readonly [Mime in PayloadMime]: (payload: PayloadTypes[Mime]) => readonly Column[] } = {
  [headGridMime]: (payload) => headColumns([{ grid: payload }]),
  [headGridsMime]: ({ stacks }) => headColumns(stacks),
  [curvesMime]: curveColumns,
  [matrixMime]: matrixColumns,
  [ablationTableMime]: ablationColumns,
  [scatterMime]: scatterColumns,
  [imageOverlayMime]: overlayColumns,
  [modelDiagramMime]: diagramColumns,
  [headPairMime]: ({ queryTokens, totalVariation }) => [
    { name: "query", values: queryTokens.map((_, at) => at) },
    { name: "token", values: queryTokens },
    { name: "total variation", values: totalVariation },
  ],
  [generationMime]: generationColumns,
  [tokenStripMime]: ({ tokens, values, measure }) => [
    { name: "position", values: tokens.map((_, at) => at) },
    { name: "token", values: tokens },
    { name: measure, values },
  ],
  [attributionGraphMime]: edgeColumns,
  [audioTimelineMime]: timelineColumns,
  [panelsMime]: ({ panels }) => {
    throw new PayloadError(
      `panels: a table holds one picture of a report; name one of ${panels.map(({ name }) => JSON.stringify(name)).join(", ")}`,
    );
  },
};

function edgeColumns({ nodes, edges, measure }: AttributionGraphPayload): readonly Column[] {
  return [
    { name: "from", values: edges.from.map((node) => nodes.name[node]) },
    { name: "to", values: edges.to.map((node) => nodes.name[node]) },
    { name: "input", values: edges.input },
    { name: measure, values: edges.weight },
  ];
}

function diagramColumns({ levels }: ModelDiagramPayload): readonly Column[] {
  const all = levels.flatMap(({ layers, activations }) => activations.map((each) => ({ ...each, layers })));
  return [
    { name: "address", values: all.map(({ address }) => address) },
    { name: "shape", values: all.map(({ shape }) => formatShape(shape)) },
    { name: "layers", values: all.map(({ layers, only }) => (layers === 0 ? null : (only?.length ?? layers))) },
  ];
}

/** Attention of the first query, the class token where there is one, to every patch. */
function overlayColumns({ queries, grid, maps, weights }: ImageOverlayPayload): readonly Column[] {
  const patches = queries.slice(queries.length - grid.rows * grid.columns);
  const { head, columns } = readPatterns(weights, 1, maps.max);
  return [
    { name: "patch", values: patches },
    ...maps.name.map((name, at) => ({ name, values: [...head(at, 0).subarray(0, columns)] })),
  ];
}

/** When each token listens most, in every map, and how much of its attention is shown. */
function timelineColumns({ tokens, time, maps, starts }: AudioTimelinePayload): readonly Column[] {
  const seconds = (frame: number): number => Number((frame * time.secondsPerFrame).toPrecision(9));
  return [
    { name: "position", values: tokens.map((_, at) => at) },
    { name: "token", values: tokens },
    ...(starts ? [{ name: "begins (s)", values: starts }] : []),
    ...maps.name.flatMap((name, map) => [
      {
        name: `${name}: largest weight at (s)`,
        values: tokens.map((_, at) => seconds(maps.peak[map * tokens.length + at])),
      },
      { name: `${name}: attention shown`, values: tokens.map((_, at) => maps.mass[map * tokens.length + at]) },
    ]),
  ];
}

function scatterColumns({ x, y, points, heads }: ScatterPayload): readonly Column[] {
  return [
    { name: "point", values: points.labels },
    ...(heads ? [{ name: "layer", values: heads.layer }, { name: "head", values: heads.head }] : []), // prettier-ignore
    { name: x.label || "x", values: points.x },
    { name: y.label || "y", values: points.y },
  ];
}

/** The numbers of every head of every sample. */
function headColumns(stacks: readonly { readonly name?: string; readonly grid: HeadGridPayload }[]): readonly Column[] {
  const rows = stacks.flatMap(({ name, grid }) =>
    grid.samples.flatMap(({ scalars }, sample) =>
      scalars.max.map((_, at) => ({ name: name ?? null, sample, at, heads: grid.heads, scalars })),
    ),
  );
  return [
    ...(stacks.some(({ name }) => name !== undefined) ? [{ name: "stack", values: rows.map(({ name }) => name) }] : []),
    { name: "sample", values: rows.map(({ sample }) => sample) },
    { name: "layer", values: rows.map(({ at, heads }) => Math.floor(at / heads)) },
    { name: "head", values: rows.map(({ at, heads }) => at % heads) },
    ...headScalarNames.map((name) => ({ name, values: rows.map(({ at, scalars }) => scalars[name][at]) })),
  ];
}

/** Every new token of every text. */
function generationColumns({ texts }: GenerationPayload): readonly Column[] {
  const rows = texts.flatMap((text, at) => text.tokens.map((token, step) => ({ ...{ at, text, token, step } })));
  return [
    { name: "text", values: rows.map(({ at }) => at) },
    { name: "step", values: rows.map(({ step }) => step) },
    { name: "token", values: rows.map(({ token }) => token) },
    { name: "chance", values: rows.map(({ text, step }) => text.chances[step]) },
    { name: "entropy (nats)", values: rows.map(({ text, step }) => text.entropyNats[step]) },
  ];
}

function curveColumns({ curves }: CurvesPayload): readonly Column[] {
  const part = (of: (curve: CurvesPayload["curves"][number], at: number) => string | number | null) =>
    curves.flatMap((curve) => curve.x.map((_, at) => of(curve, at)));
  const intervals = curves.some(({ low }) => low !== undefined);
  return [
    { name: "curve", values: part(({ name }) => name) },
    { name: "x", values: part(({ x }, at) => x[at]) },
    { name: "y", values: part(({ y }, at) => y[at]) },
    ...(intervals
      ? [
          { name: "low", values: part(({ low }, at) => low?.[at] ?? null) },
          { name: "high", values: part(({ high }, at) => high?.[at] ?? null) },
        ]
      : []),
  ];
}

function matrixColumns({ rows, columns, values, measure }: MatrixPayload): readonly Column[] {
  const width = columns.labels.length;
  return [
    { name: rows.name, values: values.map((_, at) => rows.labels[Math.floor(at / width)]) },
    // Labels such as tokens may repeat; the place of a column does not.
    { name: `${columns.name} index`, values: values.map((_, at) => at % width) },
    { name: columns.name, values: values.map((_, at) => columns.labels[at % width]) },
    { name: measure, values },
  ];
}

function ablationColumns({ columns, modes }: AblationTablePayload): readonly Column[] {
  return [
    { name: "layer", values: columns.layer },
    { name: "head", values: columns.head },
    { name: "mode", values: columns.mode.map((mode) => modes[mode]) },
    ...ablationMeasures.map((name) => ({ name, values: columns[name] })),
  ];
}
