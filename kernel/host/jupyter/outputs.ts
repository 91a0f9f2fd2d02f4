import { randomUUID } from "node:crypto";
import type { CellScope, CellScopes } from "./cellScope.js";
import { wantsPicture, withPicture, type Shown } from "./figures.js";
import type { Link } from "./link.js";
import { mimeBundle, textOf, type MimeBundle } from "./mimeBundle.js";
import type { JsonObject } from "./wire.js";

/** How a value is displayed. */
export interface DisplayOptions {
  /** A name by which later calls can change this output, in any cell. */
  readonly id?: string;
  /** The value is a MIME bundle already. */
  readonly raw?: boolean;
  readonly metadata?: JsonObject;
}

/** An output that can be changed in place. */
export interface DisplayHandle {
  readonly id: string;
  update(value: unknown, options?: Pick<DisplayOptions, "raw" | "metadata">): Promise<void>;
}

export interface Outputs {
  display(value: unknown, options?: DisplayOptions): Promise<DisplayHandle>;
  update(id: string, value: unknown, options?: Pick<DisplayOptions, "raw" | "metadata">): Promise<void>;
  /** Removes the cell's output; with `wait`, when the next output comes. */
  clear(wait: boolean): void;
  /** The text/plain of what was published. */
  result(value: unknown, count: number): Promise<string | undefined>;
  bundleOf(value: unknown): Promise<MimeBundle>;
}

/** Publishes values as `display_data`, `update_display_data`, `execute_result`, for the scope they come from. */
export function createOutputs(link: Link, scopes: CellScopes): Outputs {
  const complain = (scope: CellScope, text: string): void =>
    link.post({ kind: "stream", request: scope.request, name: "stderr", text: `${text}\n` });

  /** A value whose own display fails is shown as text, and the reason on stderr. */
  const plain = (value: unknown, scope: CellScope, error: unknown): Shown => {
    complain(
      scope,
      `display: the value's own display failed; ${error instanceof Error ? error.message : String(error)}`,
    );
    return { data: { "text/plain": textOf(value) }, metadata: {} };
  };

  /** Synchronous where it can be, so that outputs keep their order with `console`. */
  const bundle = (value: unknown, raw: boolean, scope: CellScope): Shown | Promise<Shown> => {
    const finish = (data: MimeBundle): Shown | Promise<Shown> =>
      wantsPicture(data) ? withPicture(data, (reason) => complain(scope, reason)) : { data, metadata: {} };
    try {
      const made = raw ? asBundle(value) : mimeBundle(value);
      if (!(made instanceof Promise)) return finish(made);
      return made.then(finish).catch((error: unknown) => plain(value, scope, error));
    } catch (error) {
      if (raw) throw error;
      return plain(value, scope, error);
    }
  };

  const publish = (scope: CellScope, type: string, shown: Shown, content: JsonObject): void => {
    const { json, dropped } = serialise({ ...shown, ...content });
    for (const reason of dropped) complain(scope, reason);
    link.post({ kind: "publish", request: scope.request, type, content: json });
  };

  const show = async (
    type: string,
    value: unknown,
    { raw = false, metadata = {} }: DisplayOptions,
    content: JsonObject,
  ): Promise<void> => {
    const scope = scopes.current();
    const made = bundle(value, raw, scope);
    const send = (shown: Shown): void =>
      publish(scope, type, { data: shown.data, metadata: { ...shown.metadata, ...metadata } }, content);
    if (!(made instanceof Promise)) return send(made);
    const published = made.then(send);
    scope.unfinished.add(published);
    await published.finally(() => scope.unfinished.delete(published));
  };

  const outputs: Outputs = {
    async display(value, options = {}) {
      const { id = randomUUID() } = options;
      await show("display_data", value, options, { transient: options.id === undefined ? {} : { display_id: id } });
      return { id, update: (next, nextOptions) => outputs.update(id, next, nextOptions) };
    },
    update: (id, value, options = {}) => show("update_display_data", value, options, { transient: { display_id: id } }),
    clear: (wait) =>
      link.post({
        kind: "publish",
        request: scopes.current().request,
        type: "clear_output",
        content: JSON.stringify({ wait }),
      }),
    async result(value, count) {
      const scope = scopes.current();
      const shown = await bundle(value, false, scope);
      publish(scope, "execute_result", shown, { execution_count: count });
      const text = shown.data["text/plain"];
      return typeof text === "string" ? text : undefined;
    },
    bundleOf: async (value) => (await bundle(value, false, scopes.current())).data,
  };
  return outputs;
}

function asBundle(value: unknown): MimeBundle {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as MimeBundle;
  throw new TypeError(`display: with raw, the value is a MIME bundle; expected an object, got ${textOf(value)}`);
}

/** Content as JSON; a part of the bundle that has no JSON form is left out, with the reason. */
function serialise(content: { readonly data: MimeBundle } & JsonObject): { json: string; dropped: readonly string[] } {
  const dropped: string[] = [];
  const data = Object.entries(content.data).filter(([mime, value]) => {
    try {
      return JSON.stringify(value) !== undefined;
    } catch (error) {
      dropped.push(`display: ${mime} is left out; ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  });
  return { json: JSON.stringify({ ...content, data: Object.fromEntries(data) }), dropped };
}
