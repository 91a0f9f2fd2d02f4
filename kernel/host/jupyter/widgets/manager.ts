import type { Comm, Kernel } from "../api.js";

/** A widget model as the front end asks for it. */
export interface LiveModel {
  readonly id: string;
  state(): Readonly<Record<string, unknown>>;
}

/** The models of one kernel: what a reloaded page is told of them. */
export interface Manager {
  readonly kernel: Kernel;
  add(model: LiveModel): void;
  remove(model: LiveModel): void;
}

const managers = new WeakMap<Kernel, Manager>();

/** The manager of a running kernel, made with its first widget. */
export function managerOf(kernel: Kernel): Manager {
  const known = managers.get(kernel);
  if (known) return known;
  const made = createManager(kernel);
  managers.set(kernel, made);
  return made;
}

function createManager(kernel: Kernel): Manager {
  const models = new Map<string, LiveModel>();
  // A page that was reloaded asks here for everything at once.
  kernel.registerCommTarget("jupyter.widget.control", (comm: Comm) => {
    comm.onMessage(({ data }) => {
      if ((data as { readonly method?: unknown } | null)?.method !== "request_states") return;
      const states = Object.fromEntries([...models.values()].map((model) => [model.id, described(model.state())]));
      comm.send({ method: "update_states", states, buffer_paths: [] });
    });
  });
  return {
    kernel,
    add: (model) => void models.set(model.id, model),
    remove: ({ id }) => void models.delete(id),
  };
}

function described(state: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    model_name: state["_model_name"],
    model_module: state["_model_module"],
    model_module_version: state["_model_module_version"],
    state,
  };
}
