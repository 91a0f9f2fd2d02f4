import { Widget, optionError, type WidgetOptions } from "./widget.js";

/** Options of a box. */
export type BoxOptions = Pick<WidgetOptions, "layout">;

abstract class Box extends Widget {
  private contents: readonly Widget[];

  protected constructor(name: "HBox" | "VBox", children: readonly Widget[], options: BoxOptions) {
    super({ name, options, own: [], state: () => ({ children: references(name, children), box_style: "" }) });
    this.contents = children;
  }

  get children(): readonly Widget[] {
    return this.contents;
  }

  set children(children: readonly Widget[]) {
    this.model.set({ children: references("children", children) });
    this.contents = children;
  }

  protected override summary(): string {
    return this.contents.map(String).join(", ");
  }
}

/** Widgets side by side. */
export class HBox extends Box {
  constructor(children: readonly Widget[] = [], options: BoxOptions = {}) {
    super("HBox", children, options);
  }
}

/** Widgets one below the other. */
export class VBox extends Box {
  constructor(children: readonly Widget[] = [], options: BoxOptions = {}) {
    super("VBox", children, options);
  }
}

function references(place: string, children: readonly unknown[]): readonly string[] {
  return children.map((child) => {
    if (!(child instanceof Widget)) throw optionError(place, "each child", "a widget", child);
    return `IPY_MODEL_${child.id}`;
  });
}
