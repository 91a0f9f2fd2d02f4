import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { CellSyntaxError } from "./cellSyntaxError.js";
import { excerpt } from "./excerpt.js";
import { decodeMappings, sourcePlace, type Segment, type SourceMapJson } from "./sourceMap.js";
import type { TransformedCell } from "./transform.js";

/** Turns thrown values into what an `error` message carries. */
export interface FrameMapper {
  /** Before the cell runs. */
  add(cell: TransformedCell): void;
  /** For a script under another name, such as an imported file: `name` is what its stack frames carry. */
  addScript(name: string, map: SourceMapJson): void;
  /**
   * Error name, message and traceback of any thrown value; lines of the traceback carry modest ANSI colours.
   * `at` is where the inspector saw it: the cell's name, with the zero-based line and column of `exceptionDetails`, where
   * these name a script. It places early errors of the engine, whose stack does not say where they are; else it is not used.
   */
  error(
    value: unknown,
    at?: { readonly url: string; readonly line: number; readonly column: number },
  ): { ename: string; evalue: string; traceback: string[] };
}

/** A place in a source as a reader counts: line and column start at 1. */
interface Location {
  readonly name: string;
  readonly line: number;
  readonly column: number;
}

interface Frame {
  readonly text: string;
  readonly location?: Location;
}

interface MappedScript {
  readonly map: SourceMapJson;
  readonly lines: () => readonly (readonly Segment[])[];
}

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
const cyan = (text: string): string => `\u001b[36m${text}\u001b[39m`;
// This folder's parent: cells, sockets and all that runs a cell.
const ownFolder = new URL("../", import.meta.url);
// All of the library, this folder among it.
const libraryFolder = new URL("../../../", import.meta.url);
const deepest = 8;

/** A mapper that knows no cell yet. It keeps every source map it is given: old cells may still be called. */
export function createFrameMapper(): FrameMapper {
  const scripts = new Map<string, MappedScript>();

  const addScript = (name: string, map: SourceMapJson): void => {
    let decoded: readonly (readonly Segment[])[] | undefined;
    scripts.set(name, { map, lines: () => (decoded ??= decodeMappings(map.mappings)) });
  };

  /** Undefined for code that the compiler added, which has no place in the source. */
  const located = (name: string, line: number, column: number): Location | undefined => {
    const script = scripts.get(name);
    if (script === undefined) return { name: pathOf(name), line, column };
    const place = sourcePlace(script.lines(), { line: line - 1, column: column - 1 });
    return place && { name: script.map.sources[0] ?? name, line: place.line + 1, column: place.column + 1 };
  };

  const frameLine = (line: string): Frame | undefined => {
    const match = /^\s*at (?:(.*?) \()?(.*?)(?::(\d+):(\d+))?\)?$/.exec(line);
    const [, call, name = "", lineNumber, column] = match ?? [];
    if (match === null || isInternal(call, name)) return undefined;
    if (lineNumber === undefined || column === undefined) return { text: `    at ${line.trim().slice(3)}` };
    const isAsync = name.startsWith("async ");
    const location = located(isAsync ? name.slice(6) : name, Number(lineNumber), Number(column));
    if (location === undefined) return undefined;
    const where = cyan(`${location.name}:${location.line}:${location.column}`);
    return { text: call ? `    at ${call} (${where})` : `    at ${isAsync ? "async " : ""}${where}`, location };
  };

  const excerptAt = (location: Location | undefined): readonly string[] => {
    const script = [...scripts.values()].findLast(({ map }) => map.sources[0] === location?.name);
    const source = script?.map.sourcesContent[0];
    return source === undefined || location === undefined ? [] : excerpt(source, location);
  };

  const describe = (value: unknown, place: Location | undefined, seen: ReadonlySet<unknown>): readonly string[] => {
    if (!(value instanceof Error) && !isErrorLike(value)) return [`${red("Thrown")}: ${shortText(value)}`];
    const title = `${red(nameOf(value))}: ${messageOf(value)}`;
    if (value instanceof CellSyntaxError) {
      const { source, sourceURL, line, column } = value;
      return [title, `    at ${cyan(`${sourceURL}:${line}:${column}`)}`, ...excerpt(source, { line, column })];
    }
    const frames = withoutLibrary(stackLines(value).flatMap((line) => frameLine(line) ?? []));
    const isEarly = value instanceof SyntaxError && frames.length === 0 && place !== undefined;
    const first = isEarly ? place : frames.find(({ location }) => location !== undefined)?.location;
    const lines = isEarly
      ? [`    at ${cyan(`${place.name}:${place.line}:${place.column}`)}`]
      : frames.map(({ text }) => text);
    const inner = new Set([...seen, value]);
    return [title, ...lines, ...excerptAt(first), ...causes(value, inner)];
  };

  const causes = (error: Error, seen: ReadonlySet<unknown>): readonly string[] => {
    if (seen.size > deepest) return [];
    const nested = (title: string, value: unknown): readonly string[] => {
      if (seen.has(value)) return [`${title}: (circular)`];
      const [first = "", ...rest] = describe(value, undefined, seen);
      return [`${title}: ${first}`, ...rest];
    };
    const { errors } = error as Error & { readonly errors?: unknown };
    return [
      ...(error.cause === undefined ? [] : nested("caused by", error.cause)),
      ...(Array.isArray(errors) ? errors.flatMap((each: unknown, index) => nested(`error ${index}`, each)) : []),
    ];
  };

  return {
    add: (cell) => addScript(cell.sourceURL, cell.map),
    addScript,
    error(value, at) {
      const place = at && scripts.has(at.url) ? located(at.url, at.line + 1, at.column + 1) : undefined;
      try {
        const isError = value instanceof Error || isErrorLike(value);
        return {
          ename: isError ? nameOf(value) : "Thrown",
          evalue: isError ? messageOf(value) : shortText(value),
          traceback: [...describe(value, place, new Set())],
        };
      } catch {
        // Getters and proxies of the thrown value may throw in their turn.
        const evalue = "a value that cannot be shown";
        return { ename: "Thrown", evalue, traceback: [`${red("Thrown")}: ${evalue}`] };
      }
    },
  };
}

/** The library's own frames say nothing to who called it; they stay only where no frame is the caller's. */
function withoutLibrary(frames: readonly Frame[]): readonly Frame[] {
  const isLibrary = ({ location }: Frame): boolean => location?.name.startsWith(fileURLToPath(libraryFolder)) === true;
  const isCallers = (frame: Frame): boolean =>
    frame.location !== undefined && !isLibrary(frame) && !/[\\/]node_modules[\\/]/.test(frame.location.name);
  return frames.some(isCallers) ? frames.filter((frame) => !isLibrary(frame)) : frames;
}

function pathOf(name: string): string {
  if (!name.startsWith("file:")) return name;
  try {
    return fileURLToPath(name);
  } catch {
    return name;
  }
}

/** Frames of Node, of the inspector, and of the code that runs cells. */
function isInternal(call: string | undefined, name: string): boolean {
  const place = name.replace(/^async /, "");
  if (/^(?:node:|internal\/|evalmachine)/.test(place)) return true;
  if (call === "new Promise" || call === "new Promise (<anonymous>)") return true;
  return place.startsWith(ownFolder.href) || place.startsWith(fileURLToPath(ownFolder));
}

/** Errors of another realm, and objects made to look like errors. */
function isErrorLike(value: unknown): value is Error {
  if (typeof value !== "object" || value === null) return false;
  const { name, message, stack } = value as Partial<Error>;
  return typeof name === "string" && typeof message === "string" && typeof stack === "string";
}

/** The name, unless a class left it at "Error": then the name of the class. */
function nameOf(error: Error): string {
  const own = String(error.name || "Error");
  const given: unknown = (error as { constructor?: { name?: unknown } }).constructor?.name;
  return own === "Error" && typeof given === "string" && given !== "" ? given : own;
}

function messageOf(error: Error): string {
  return typeof error.message === "string" ? error.message : shortText(error.message);
}

/** The frames of a stack: what follows its title, which may have several lines, down to where the inspector ran the cell. */
function stackLines(error: Error): readonly string[] {
  if (typeof error.stack !== "string") return [];
  const frames = error.stack.split("\n").filter((line) => /^\s+at /.test(line));
  const end = frames.findIndex((line) => line.includes("(node:inspector"));
  return end < 0 ? frames : frames.slice(0, end);
}

function shortText(value: unknown): string {
  return typeof value === "string" ? value : inspect(value, { depth: 2, maxStringLength: 400 });
}
