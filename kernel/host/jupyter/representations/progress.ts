import { randomUUID } from "node:crypto";
import { checkOptions, OptionError } from "../../../tensor/index.js";
import { kernel } from "../api.js";
import { escapeHtml } from "./html.js";

export interface ProgressOptions {
  /** What is being done, shown before the bar. */
  readonly label?: string;
}

/** A bar that grows in its place below the cell. */
export interface Progress {
  /** How much is done of the total, in the same unit. */
  update(done: number): void;
  /** Replaces the bar by one line of text: what was reached, in how long. */
  finish(): void;
}

/** The bar is drawn this often at most, also in a loop that never awaits. */
const intervalMs = 100;

/**
 * A progress bar for the running cell; outside a kernel only its last line is printed.
 *
 * Range    a saved notebook holds the last line alone: `label: 100 % 42/42 in 1.2 s`
 * Throws   OptionError unless `total` is a number above 0, on `update` unless `done` is a number
 * Example  const bar = progress(texts.length, { label: "encode" })
 */
export function progress(total: number, options: ProgressOptions = {}): Progress {
  checkOptions("progress", options, ["label"]);
  if (!(total > 0 && total < Infinity)) {
    throw new OptionError(`progress: the total must be a number above 0, got ${String(total)}`);
  }
  const { label } = options;
  const running = kernel();
  const id = randomUUID();
  const began = performance.now();
  let done = 0;
  let shownAt = -Infinity;
  let isFinished = false;
  let timer: NodeJS.Timeout | undefined;

  const seconds = (): number => (performance.now() - began) / 1000;
  const text = (tail: string): string => {
    const percent = Math.floor((100 * done) / total);
    return `${label === undefined ? "" : `${label}: `}${percent} % ${done}/${total}${tail}`;
  };
  const show = (bundle: Readonly<Record<string, string>>): void => {
    const isFirst = shownAt === -Infinity;
    shownAt = performance.now();
    clearTimeout(timer);
    timer = undefined;
    if (isFirst) void running?.display(bundle, { id, raw: true });
    else void running?.updateDisplay(id, bundle, { raw: true });
  };
  const showBar = (): void => {
    const left = (seconds() * (total - done)) / done;
    const tail = done > 0 && seconds() > 1 ? `, about ${duration(left)} left` : "";
    const line = text(tail);
    show({
      "text/html": `<div><progress value="${Math.min(done, total)}" max="${total}"></progress> ${escapeHtml(line)}</div>`,
      "text/plain": line,
    });
  };

  showBar();
  return {
    update(count) {
      if (typeof count !== "number" || Number.isNaN(count)) {
        throw new OptionError(`progress.update: expected a number, got ${String(count)}`);
      }
      done = count;
      if (isFinished || !running) return;
      const wait = shownAt + intervalMs - performance.now();
      if (wait <= 0) showBar();
      else timer ??= setTimeout(showBar, wait).unref();
    },
    finish() {
      if (isFinished) return;
      isFinished = true;
      const line = text(` in ${duration(seconds())}`);
      if (running) show({ "text/plain": line });
      else console.log(line);
    },
  };
}

/** Options of `track`. */
export interface TrackOptions extends ProgressOptions {
  /** How many values will come, where the source has no `length` or `size`. */
  readonly total?: number;
}

/**
 * The values of a source, one by one, under a progress bar that finishes with the loop, however the loop ends.
 *
 * Throws   OptionError where the number of values is not known
 * Example  for await (const text of track(texts, { label: "encode" })) { … }
 */
export async function* track<T>(
  source: Iterable<T> | AsyncIterable<T>,
  options: TrackOptions = {},
): AsyncGenerator<T, void, undefined> {
  checkOptions("track", options, ["label", "total"]);
  const { total = countOf(source), label } = options;
  if (total === undefined) {
    throw new OptionError("track: the source has no length; expected the option total, got none");
  }
  if (total === 0) {
    yield* source;
    return;
  }
  const bar = progress(total, label === undefined ? {} : { label });
  let done = 0;
  try {
    for await (const value of source) {
      yield value;
      bar.update(++done);
    }
  } finally {
    bar.finish();
  }
}

function countOf(source: object): number | undefined {
  const { length, size } = source as { readonly length?: unknown; readonly size?: unknown };
  return [length, size].find((count) => typeof count === "number");
}

/** Seconds as people say them. */
function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
