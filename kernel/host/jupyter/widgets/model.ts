import type { Comm } from "../api.js";
import type { Manager } from "./manager.js";

export type State = Readonly<Record<string, unknown>>;

/** What a widget model is and what the front end may do to it. */
export interface ModelDefinition {
  readonly module: "@jupyter-widgets/base" | "@jupyter-widgets/controls";
  readonly model: string;
  readonly view: string;
  readonly state: State;
  /** The keys that the front end may change, and what becomes of its value; undefined refuses it. */
  readonly accepts?: Readonly<Record<string, (value: unknown) => unknown>>;
  /** The front end changed these keys. */
  changed?(keys: readonly string[]): void;
  /** The front end sent a message of its own, such as a click. */
  custom?(content: unknown): void;
}

/** One model, held in step with its copies in every page. */
export interface Model {
  readonly id: string;
  /** `IPY_MODEL_…`, by which other models refer to it. */
  readonly reference: string;
  get(key: string): unknown;
  set(changes: State): void;
  close(): void;
}

/** Version of the widget messaging protocol. */
const protocolVersion = "2.1.0";
/** Of `@jupyter-widgets/base` and `controls`, as ipywidgets 8 has them. */
const moduleVersion = "2.0.0";

/**
 * Opens a model in the front end.
 *
 * Source   ipywidgets, "Jupyter Widget Messaging Protocol", version 2.1.0
 */
export function openModel(manager: Manager, definition: ModelDefinition): Model {
  const { module, model, view, accepts = {} } = definition;
  let state: State = {
    _model_module: module,
    _model_module_version: moduleVersion,
    _model_name: model,
    _view_module: module,
    _view_module_version: moduleVersion,
    _view_name: view,
    ...definition.state,
  };
  const data = { state, buffer_paths: [] };
  const comm: Comm = manager.kernel.openComm("jupyter.widget", data, { metadata: { version: protocolVersion } });
  const live = { id: comm.id, state: () => state };
  const send = (method: "update" | "echo_update", changes: State): void =>
    comm.send({ method, state: changes, buffer_paths: [] });

  const receive = (changes: State): void => {
    const taken: Record<string, unknown> = {};
    const refused: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(changes)) {
      const accepted = Object.hasOwn(accepts, key) ? accepts[key]?.(value) : undefined;
      if (accepted !== undefined) taken[key] = accepted;
      else if (Object.hasOwn(state, key)) refused[key] = state[key];
    }
    state = { ...state, ...taken };
    const keys = Object.keys(taken);
    // Other pages on the same kernel learn of the change by the echo.
    if (keys.length > 0) send("echo_update", taken);
    if (Object.keys(refused).length > 0) send("update", refused);
    if (keys.length > 0) definition.changed?.(keys);
  };

  comm.onMessage(({ data: received }) => {
    const message = asState(received);
    if (message["method"] === "update") receive(asState(message["state"]));
    else if (message["method"] === "request_state") send("update", state);
    else if (message["method"] === "custom") definition.custom?.(message["content"]);
  });
  comm.onClose(() => manager.remove(live));
  manager.add(live);

  return {
    id: comm.id,
    reference: `IPY_MODEL_${comm.id}`,
    get: (key) => state[key],
    set(changes) {
      state = { ...state, ...changes };
      send("update", changes);
    },
    close() {
      manager.remove(live);
      comm.close();
    },
  };
}

function asState(value: unknown): State {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as State) : {};
}
