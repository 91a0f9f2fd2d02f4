import type { LiveRun, SavedReason } from "../link/liveRun.js";
import type { Selections } from "../link/selections.js";
import type { Words } from "../words.js";

/** A drawn payload. */
export interface View {
  readonly node: HTMLElement;
  /** Draws at the size that the node has now; nothing while it has none. */
  readonly draw: () => void;
  /** Takes over a payload that changed a little; false where the view must start anew. */
  readonly update?: (payload: unknown) => boolean;
  /** Takes the node away and releases everything. */
  readonly dispose: () => void;
}

/** What a view gets from its surroundings. */
export interface ViewContext {
  readonly words: Words;
  /** The kernel's side of a run; absent where no kernel may be asked, and then `saved` says why. */
  readonly live?: ((run: string) => LiveRun) | undefined;
  readonly saved?: SavedReason;
  /** What readers have chosen, shared by the figures of a run. */
  readonly selections?: Selections | undefined;
  /** Whether the figure always shows the head that is chosen in another one: the inspector does. */
  readonly follows?: boolean;
  /** Puts a changed payload into the output, so that the saved notebook holds it. */
  readonly save?: ((payload: unknown) => void) | undefined;
}
