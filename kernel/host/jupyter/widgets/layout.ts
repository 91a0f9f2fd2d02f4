import { checkOptions } from "../../../tensor/index.js";
import type { Manager } from "./manager.js";
import { openModel, type Model } from "./model.js";

/** CSS of a widget's box, by the CSS names in camel case: `{ width: "300px" }`. */
export interface Layout {
  readonly alignContent?: string;
  readonly alignItems?: string;
  readonly alignSelf?: string;
  readonly border?: string;
  readonly bottom?: string;
  readonly display?: string;
  readonly flex?: string;
  readonly flexFlow?: string;
  readonly gridArea?: string;
  readonly gridAutoColumns?: string;
  readonly gridAutoFlow?: string;
  readonly gridAutoRows?: string;
  readonly gridColumn?: string;
  readonly gridGap?: string;
  readonly gridRow?: string;
  readonly gridTemplateAreas?: string;
  readonly gridTemplateColumns?: string;
  readonly gridTemplateRows?: string;
  readonly height?: string;
  readonly justifyContent?: string;
  readonly justifyItems?: string;
  readonly left?: string;
  readonly margin?: string;
  readonly maxHeight?: string;
  readonly maxWidth?: string;
  readonly minHeight?: string;
  readonly minWidth?: string;
  readonly objectFit?: string;
  readonly objectPosition?: string;
  readonly order?: string;
  readonly overflow?: string;
  readonly padding?: string;
  readonly right?: string;
  readonly top?: string;
  readonly visibility?: string;
  readonly width?: string;
}

const names: Readonly<Record<keyof Layout, true>> = {
  alignContent: true,
  alignItems: true,
  alignSelf: true,
  border: true,
  bottom: true,
  display: true,
  flex: true,
  flexFlow: true,
  gridArea: true,
  gridAutoColumns: true,
  gridAutoFlow: true,
  gridAutoRows: true,
  gridColumn: true,
  gridGap: true,
  gridRow: true,
  gridTemplateAreas: true,
  gridTemplateColumns: true,
  gridTemplateRows: true,
  height: true,
  justifyContent: true,
  justifyItems: true,
  left: true,
  margin: true,
  maxHeight: true,
  maxWidth: true,
  minHeight: true,
  minWidth: true,
  objectFit: true,
  objectPosition: true,
  order: true,
  overflow: true,
  padding: true,
  right: true,
  top: true,
  visibility: true,
  width: true,
};

/**
 * The model of a widget's layout.
 *
 * Throws   OptionError on an unknown name
 */
export function openLayout(manager: Manager, place: string, layout: Layout): Model {
  checkOptions(`${place}: layout`, layout, Object.keys(names));
  const state = Object.fromEntries(
    Object.entries(layout).map(([name, value]) => [name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), value]),
  );
  return openModel(manager, { module: "@jupyter-widgets/base", model: "LayoutModel", view: "LayoutView", state });
}
