import type { Run, RunHeading } from "../models/index.js";
import { checkOptions, knownNames, OptionError, ShapeError, showWith, type MimeBundle } from "../tensor/index.js";
import { scatter as payloadOf, scatterMime, scatterText, type ScatterPayload } from "../views/index.js";
import { HeadScores } from "./headScores.js";

/** A number for each head, [layer][head], or for each of some labelled things. */
export interface HeadSeries {
  readonly name: string;
  readonly values: readonly (readonly number[])[] | readonly number[];
}

export interface ScatterOptions {
  /** Default: what x and y say of themselves. */
  readonly title?: string;
  /** Which measure of x, and of y, where they are tables of several: default the one that leads. */
  readonly x?: string;
  readonly y?: string;
  /** Default "linear". */
  readonly xScale?: "linear" | "log";
  readonly yScale?: "linear" | "log";
  /** Names of the points, where they are not heads. */
  readonly labels?: readonly string[];
  /** The run in whose head grid marked heads are shown, and the name of its kind of attention where it has several. */
  readonly run?: Run;
  readonly stack?: string;
  readonly notes?: readonly string[];
}

/** Points by two numbers each. Immutable; shows itself as a scatter in which heads can be marked. */
export class Scatter {
  readonly #payload: () => Promise<ScatterPayload>;

  constructor(payload: () => Promise<ScatterPayload>) {
    this.#payload = payload;
  }

  async bundle(): Promise<MimeBundle> {
    const payload = await this.#payload();
    return { [scatterMime]: payload, "text/plain": scatterText(payload) };
  }
}

showWith(Scatter.prototype, (scatter) => scatter.bundle());

/**
 * Two scores of heads against each other. A rectangle drawn in it marks heads, in the head grid of `run` too.
 *
 * Shapes   x, y [layer][head] alike, or as many numbers as labels
 * Throws   OptionError on an unknown measure or stack, or labels of heads; ShapeError where x and y differ in shape
 * Example  const roles = await headRoles(model, prompts); scatter(roles, roles, { x: "previous", y: "induction", run })
 */
export function scatter(x: HeadScores | HeadSeries, y: HeadScores | HeadSeries, options: ScatterOptions = {}): Scatter {
  checkOptions("scatter", options, [...["title", "x", "y", "xScale", "yScale", "labels", "run", "stack", "notes"]]);
  const { labels, run, stack, xScale, yScale, notes } = options;
  const [across, up] = [seriesOf("x", x, options.x), seriesOf("y", y, options.y)];
  const points = isGrid(across.values) ? headPoints(across, up, labels) : labelled(across, up, labels);
  const captions = [...new Set([x, y].flatMap((each) => (each instanceof HeadScores ? [each.caption] : [])))];
  const stackName = stack ?? run?.stacks[0].name ?? "";
  if (run && !run.stacks.some(({ name }) => name === stackName)) {
    const names = run.stacks.map(({ name }) => name);
    throw new OptionError(`scatter: unknown stack "${stackName}"${knownNames(stackName, names)}`);
  }
  const made = (of?: RunHeading, provenance = of?.provenance): ScatterPayload =>
    payloadOf(points, {
      title: options.title ?? (captions.join("; ") || `${up.name} over ${across.name}`),
      ...{ xLabel: across.name, yLabel: up.name },
      ...(xScale ? { xScale } : {}),
      ...(yScale ? { yScale } : {}),
      ...(notes ? { notes } : {}),
      ...(provenance ? { provenance } : {}),
      live: of?.sharedAs === undefined ? undefined : { run: of.sharedAs, stack: stackName },
    });
  made(); // what cannot be drawn is refused here, not when it is shown
  const scores = [x, y].find((each) => each instanceof HeadScores);
  return new Scatter(async () => {
    const heading = await run?.heading();
    return made(heading, heading?.provenance ?? (await scores?.provenance()));
  });
}

function seriesOf(axis: "x" | "y", given: HeadScores | HeadSeries, measure: string | undefined): HeadSeries {
  if (given instanceof HeadScores) {
    const name = measure ?? given.leading;
    if (!given.measures.includes(name)) {
      throw new OptionError(`scatter: unknown measure "${name}" of ${axis}${knownNames(name, given.measures)}`);
    }
    return { name, values: given.grid(name) };
  }
  if (measure !== undefined) {
    throw new OptionError(`scatter: "${measure}" names a measure, but ${axis} has only "${given.name}"`);
  }
  return given;
}

type Points = Parameters<typeof payloadOf>[0];

function headPoints(x: HeadSeries, y: HeadSeries, labels: readonly string[] | undefined): Points {
  if (labels) throw new OptionError("scatter: heads are labelled by layer and head; expected no labels");
  const [xs, ys] = [x.values as readonly (readonly number[])[], y.values];
  if (!isGrid(ys) || ys.length !== xs.length || xs.some((row, layer) => row.length !== ys[layer].length)) {
    throw new ShapeError(`scatter: expected x and y of one shape, got ${sizeOf(x)} and ${sizeOf(y)}`);
  }
  return xs.flatMap((row, layer) => row.map((each, head) => ({ x: each, y: ys[layer][head], head: { layer, head } })));
}

function labelled(x: HeadSeries, y: HeadSeries, labels: readonly string[] | undefined): Points {
  const [xs, ys] = [x.values as readonly number[], y.values];
  if (isGrid(ys) || ys.length !== xs.length || (labels && labels.length !== xs.length)) {
    const named = labels ? `, and ${labels.length} labels` : "";
    throw new ShapeError(`scatter: expected x and y of one shape, got ${sizeOf(x)} and ${sizeOf(y)}${named}`);
  }
  return xs.map((each, at) => ({
    x: each,
    y: ys[at],
    ...(labels ? { label: labels[at] } : {}),
  }));
}

const isGrid = (values: HeadSeries["values"]): values is readonly (readonly number[])[] => Array.isArray(values[0]);

const sizeOf = ({ values }: HeadSeries): string =>
  isGrid(values) ? `[${values.length}][${values.map((row) => row.length)[0]}]` : `[${values.length}]`;
