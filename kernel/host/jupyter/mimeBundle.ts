import { inspect } from "node:util";
import { represent } from "./representations/index.js";
import type { JsonObject } from "./wire.js";

/** MIME type → data: a string, or JSON for types that end in `json`. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** The name of the method by which a value shows itself: it returns a bundle or a promise of one. */
export const displaySymbol: symbol = Symbol.for("Jupyter.display");

/**
 * How a value shows itself: by its own `[Symbol.for("Jupyter.display")]()`, as SVG or HTML where it has
 * `outerHTML`, as a picture where it has `toDataURL()`, by its kind (`representations`), and as text in any case.
 * Bytes in the bundle become base64.
 *
 * Throws   whatever the value's own display throws
 */
export function mimeBundle(value: unknown): MimeBundle | Promise<MimeBundle> {
  const own = ownDisplay(value);
  return own instanceof Promise ? own.then((bundle) => complete(bundle, value)) : complete(own, value);
}

/** Long arrays and texts are cut, as Node's `util.inspect` does. */
export function textOf(value: unknown): string {
  try {
    return inspect(value, { depth: 4, breakLength: 100, maxStringLength: 20_000 });
  } catch (error) {
    return `[${typeof value}: its inspection failed: ${String(error)}]`;
  }
}

function ownDisplay(value: unknown): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const show = (value as Record<symbol, unknown>)[displaySymbol];
  if (typeof show === "function") {
    const shown: unknown = show.call(value);
    return isThenable(shown) ? Promise.resolve(shown) : shown;
  }
  const { outerHTML, toDataURL } = value as { readonly outerHTML?: unknown; readonly toDataURL?: unknown };
  if (typeof outerHTML === "string") {
    return { [/^\s*<svg[\s>]/i.test(outerHTML) ? "image/svg+xml" : "text/html"]: outerHTML };
  }
  if (typeof toDataURL === "function") {
    const picture = /^data:(image\/[\w+.-]+);base64,(.*)$/s.exec(String(toDataURL.call(value)));
    if (picture?.[1] !== undefined) return { [picture[1]]: picture[2] };
  }
  return represent(value, textOf);
}

function complete(own: unknown, value: unknown): MimeBundle {
  if (typeof own !== "object" || own === null) return { "text/plain": textOf(value) };
  const bundle = Object.fromEntries(
    Object.entries(own as JsonObject).map(([mime, data]) => [mime, data instanceof Uint8Array ? base64(data) : data]),
  );
  return "text/plain" in bundle ? bundle : { ...bundle, "text/plain": textOf(value) };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
