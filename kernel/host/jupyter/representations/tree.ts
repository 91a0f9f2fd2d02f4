import { inspect, types } from "node:util";
import { escapeHtml, quiet } from "./html.js";
import type { Kind } from "./representation.js";

const maxDepth = 6;
const entriesPerLevel = 50;
const maxNodes = 600;
const keyCharacters = 80;
const stringLength = 300;
const [entriesPerLine, lineCharacters] = [6, 80];

interface Entry {
  readonly key: string;
  readonly value: unknown;
  /** What is shown instead of the value, for getters and what was left out. */
  readonly note?: string;
}

/**
 * Objects, arrays, maps and sets that take more than a line: a tree that unfolds.
 * Getters are not run, proxies not touched, and what describes itself by `util.inspect.custom` stays text.
 *
 * Range    6 levels, 50 entries each, 600 in all, strings of 300 characters
 */
export const tree: Kind = {
  represent(value, textOf) {
    if (!isBranch(value)) return undefined;
    const text = textOf(value);
    if (!text.includes("\n")) return undefined;
    return { "text/html": treeHtml(value), "text/plain": text };
  },
};

function treeHtml(root: object): string {
  let nodes = 0;
  const draw = ({ key, value, note }: Entry, above: readonly object[]): string => {
    nodes++;
    const label = key === "" ? "" : `<b>${escapeHtml(cut(key, keyCharacters))}</b>: `;
    if (note !== undefined) return `<div>${label}${quiet(note)}</div>`;
    if (!isBranch(value)) return `<div>${label}${escapeHtml(leafText(value))}</div>`;
    if (above.includes(value)) return `<div>${label}${quiet("[circular]")}</div>`;
    const count = countOf(value);
    const line = above.length > 0 ? lineOf(value, count) : undefined;
    if (line !== undefined) return `<div>${label}${escapeHtml(line)}</div>`;
    const title = `${label}${escapeHtml(titleOf(value))} ${quiet(count === 1 ? "1 entry" : `${count} entries`)}`;
    if (count === 0 || above.length >= maxDepth) return `<div>${title}</div>`;
    const inside: string[] = [];
    for (const entry of entriesOf(value)) {
      if (inside.length >= entriesPerLevel || nodes >= maxNodes) {
        inside.push(`<div>${quiet(`… ${count - inside.length} more`)}</div>`);
        break;
      }
      inside.push(draw(entry, [...above, value]));
    }
    const open = above.length === 0 ? " open" : "";
    return `<details${open}><summary>${title}</summary><div style="padding-left: 1.5em">${inside.join("")}</div></details>`;
  };
  return `<div style="font-family: var(--jp-code-font-family, monospace); overflow-wrap: anywhere">${draw({ key: "", value: root }, [])}</div>`;
}

function isBranch(value: unknown): value is object {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  if (Array.isArray(value) || types.isMap(value) || types.isSet(value)) return true;
  if (inspect.custom in value || Symbol.toStringTag in value || ArrayBuffer.isView(value)) return false;
  return !isLeafObject(value);
}

function isLeafObject(value: object): boolean {
  const { isDate, isRegExp, isPromise, isBoxedPrimitive, isNativeError, isWeakMap, isWeakSet } = types;
  return [isDate, isRegExp, isPromise, isBoxedPrimitive, isNativeError, isWeakMap, isWeakSet].some((is) => is(value));
}

function countOf(value: object): number {
  if (Array.isArray(value)) return value.length;
  return types.isMap(value) || types.isSet(value) ? value.size : Object.keys(value).length;
}

/** Entries as they are asked for: a huge collection is never walked to its end. */
function* entriesOf(value: object): Generator<Entry> {
  if (types.isMap(value)) {
    for (const [key, each] of Map.prototype.entries.call(value)) yield { key: leafText(key), value: each };
  } else if (types.isSet(value)) {
    let at = 0;
    for (const each of Set.prototype.values.call(value)) yield { key: String(at++), value: each };
  } else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) yield entryAt(value, String(at));
  } else {
    for (const key of Object.keys(value)) yield entryAt(value, key);
  }
}

function entryAt(value: object, key: string): Entry {
  const found = Object.getOwnPropertyDescriptor(value, key);
  if (!found) return { key, value: undefined, note: "[empty]" };
  if ("value" in found) return { key, value: found.value };
  return { key, value: undefined, note: found.get ? "[getter]" : "[setter]" };
}

/** A small flat value inside another one, as a line that needs no unfolding. */
function lineOf(value: object, count: number): string | undefined {
  if (count > entriesPerLine || [...entriesOf(value)].some((entry) => isBranch(entry.value))) return undefined;
  const line = inspect(value, { depth: 0, breakLength: Infinity });
  return line.length > lineCharacters || line.includes("\n") ? undefined : line;
}

function titleOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return "null prototype";
  const found = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value as unknown;
  return typeof found === "function" && found.name !== "" ? cut(found.name, keyCharacters) : "Object";
}

function leafText(value: unknown): string {
  return cut(
    inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: stringLength, maxArrayLength: 6 }),
    400,
  );
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
