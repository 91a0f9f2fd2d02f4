import type { NotebookPanel } from "@jupyterlab/notebook";
import { createStore, type Store } from "../dom/store.js";
import { liveLinkOf } from "./liveLink.js";
import { LiveError, type LiveRun, type LiveStatus, type SavedReason } from "./liveRun.js";
import type { Kernel } from "./typeLink.js";

type Session = NotebookPanel["sessionContext"];

/** The runs of a notebook's figures, whichever kernel the notebook has. */
export interface PanelLink {
  readonly run: (name: string) => LiveRun;
  readonly dispose: () => void;
}

const lostStates: readonly string[] = ["restarting", "autorestarting", "dead", "terminating"];

/** Follows a notebook through changes and restarts of its kernel. */
export function createPanelLink(session: Session): PanelLink {
  const runs = new Map<string, { readonly live: LiveRun; readonly status: Store<{ readonly now: LiveStatus }> }>();

  const kernel = (): Kernel | undefined => session.session?.kernel ?? undefined;

  const check = async (name: string): Promise<void> => {
    const status = runs.get(name)?.status;
    const asked = kernel();
    if (!status) return;
    const settle = (now: LiveStatus): void => {
      if (asked === kernel()) status.set({ now });
    };
    const save = (reason: SavedReason): void => settle({ state: "saved", reason });
    if (!asked) return save("no-kernel");
    settle({ state: "connecting" });
    try {
      if ((await asked.info).implementation !== "attention-lab") return save("no-kernel");
      const { data } = await liveLinkOf(asked).ask(name, { ask: "known" });
      const modes = Array.isArray(data["modes"]) ? data["modes"].map(String) : [];
      settle({ state: "live", modes });
    } catch (error) {
      save(error instanceof LiveError && error.kind === "gone" ? "gone" : "kernel-lost");
    }
  };

  const checkAll = (): void => {
    for (const name of runs.keys()) void check(name);
  };
  const changed = (): void => checkAll();
  const statusChanged = (_: Session, state: string): void => {
    if (!lostStates.includes(state)) return;
    const lost = kernel();
    if (lost) liveLinkOf(lost).lose();
    for (const { status } of runs.values()) status.set({ now: { state: "saved", reason: "kernel-lost" } });
  };
  const reconnected = (_: Session, state: string): void => {
    if (state === "connected" && [...runs.values()].some(({ status }) => status.state.now.state !== "live")) checkAll();
  };
  session.kernelChanged.connect(changed);
  session.statusChanged.connect(statusChanged);
  session.connectionStatusChanged.connect(reconnected);

  return {
    run(name) {
      const known = runs.get(name);
      if (known) {
        if (known.status.state.now.state === "saved") void check(name);
        return known.live;
      }
      const status = createStore<{ readonly now: LiveStatus }>({ now: { state: "connecting" } });
      const live: LiveRun = {
        status,
        async ask(question, options) {
          const asked = kernel();
          if (!asked) throw new LiveError("lost", "no kernel");
          try {
            return await liveLinkOf(asked).ask(name, question, options);
          } catch (error) {
            if (error instanceof LiveError && error.kind === "gone") {
              status.set({ now: { state: "saved", reason: "gone" } });
            }
            throw error;
          }
        },
      };
      runs.set(name, { live, status });
      void check(name);
      return live;
    },
    dispose(): void {
      session.kernelChanged.disconnect(changed);
      session.statusChanged.disconnect(statusChanged);
      session.connectionStatusChanged.disconnect(reconnected);
    },
  };
}
