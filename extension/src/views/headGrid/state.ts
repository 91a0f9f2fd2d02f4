import type { PaletteName, ScaleName } from "attention-lab/figure";
import type { Store } from "../../dom/store.js";
import type { HeadAddress, Square } from "./model.js";

/** Everything a reader can change about the figure; it outlives no figure and is shared by its parts. */
export interface HeadGridState {
  readonly sample: number;
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  /** The head that has the keyboard in the grid. */
  readonly current: HeadAddress;
  /** The head shown at full size. */
  readonly focused: HeadAddress | undefined;
  readonly pointed: { readonly address: HeadAddress; readonly square: Square } | undefined;
  readonly pinned: Square | undefined;
  readonly table: boolean;
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
