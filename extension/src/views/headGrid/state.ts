import type { PaletteName, ScaleName } from "attention-lab/figure";
import type { HeadAblation, HeadEffect } from "attention-lab/views";
import type { Store } from "../../dom/store.js";
import type { Progress } from "../../link/liveRun.js";
import type { Along } from "../../text/lineSource.js";
import type { HeadAddress, Square } from "./model.js";
import type { Viewport } from "./viewport.js";

/** Everything a reader can change about the figure; it outlives no figure and is shared by its parts. */
export interface HeadGridState {
  readonly sample: number;
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  /** The head that has the keyboard in the grid. */
  readonly current: HeadAddress;
  /** The head that was chosen last in any figure of the run. */
  readonly selected: HeadAddress | undefined;
  /** Heads that are marked together in the figures of the run. */
  readonly marked: readonly HeadAddress[];
  /** The head shown at full size. */
  readonly focused: HeadAddress | undefined;
  /** The square under the pointer: of the grid, or of the head at full size. */
  readonly pointed: { readonly address: HeadAddress; readonly square: Square; readonly isFine?: boolean } | undefined;
  readonly pinned: Square | undefined;
  /** The head that the enlarged one is compared with. */
  readonly other: HeadAddress | undefined;
  /** Whether the next head that is chosen is that one. */
  readonly choosing: boolean;
  /** The part of the enlarged head that is shown; undefined: all of it. */
  readonly view: Viewport | undefined;
  /** The token whose row or column is listed. */
  readonly locked: { readonly along: Along; readonly at: number } | undefined;
  /** Whether the enlarged head is shown as a text. */
  readonly asText: boolean;
  readonly table: boolean;
  /** How heads are taken out, and what that changed so far. */
  readonly mode: HeadAblation;
  readonly effects: readonly HeadEffect[];
  /** The ablation that is under way. */
  readonly ablating: { readonly progress: Progress } | undefined;
  /** Why the last one came to nothing. */
  readonly failure: string | undefined;
  /** Counts what came from the kernel: finer tiles, exact weights. */
  readonly arrived: number;
}

export type HeadGridStore = Store<HeadGridState>;

/** Whether two optional heads are the same one. */
export function sameHead(one: HeadAddress | undefined, other: HeadAddress | undefined): boolean {
  return one?.layer === other?.layer && one?.head === other?.head;
}

/** The name of a head, zero-based: `L3.H5`. */
export function headName({ layer, head }: HeadAddress): string {
  return `L${layer}.H${head}`;
}
