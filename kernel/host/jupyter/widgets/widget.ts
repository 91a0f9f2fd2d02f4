import { checkOptions, OptionError, showWith } from "../../../tensor/index.js";
import { kernel } from "../api.js";
import { openLayout, type Layout } from "./layout.js";
import { managerOf } from "./manager.js";
import { openModel, type Model, type State } from "./model.js";

/** Options of every control. */
export interface WidgetOptions {
  /** Text beside the control. */
  readonly description?: string;
  readonly disabled?: boolean;
  /** Text that appears under the pointer. */
  readonly tooltip?: string;
  readonly layout?: Layout;
}

/** What a kind of widget tells of itself. */
export interface WidgetDefinition {
  /** `IntSlider`, whose model is `IntSliderModel` and view `IntSliderView`. */
  readonly name: string;
  /** The model that styles it, `SliderStyleModel`; boxes have none. */
  readonly style?: string;
  readonly options: WidgetOptions;
  /** Names that `options` may have besides those of every control. */
  readonly own: readonly string[];
  /** Its state, from checked options. */
  readonly state: () => State;
  readonly accepts?: Readonly<Record<string, (value: unknown) => unknown>>;
}

const commonNames = ["description", "disabled", "tooltip", "layout"];

/** A control in the notebook. It shows itself as a cell's value or through `display`, as often as wanted. */
export abstract class Widget {
  protected readonly model: Model;
  private readonly companions: readonly Model[];
  private readonly kind: string;

  protected constructor({ name, style, options, own, state, accepts = {} }: WidgetDefinition) {
    checkOptions(name, options, [...own, ...commonNames]);
    const running = kernel();
    if (!running)
      throw new Error(`${name}: needs a running kernel; expected a notebook cell, got a plain Node process`);
    const { description, disabled = false, tooltip = null, layout = {} } = options;
    const checked = state();
    const manager = managerOf(running);
    const boxLayout = openLayout(manager, name, layout);
    const styling =
      style === undefined
        ? undefined
        : openModel(manager, {
            module: "@jupyter-widgets/controls",
            model: style,
            view: "StyleView",
            // The view of every style lives in the base module.
            state: { _view_module: "@jupyter-widgets/base" },
          });
    this.kind = name;
    this.companions = styling ? [boxLayout, styling] : [boxLayout];
    this.model = openModel(manager, {
      module: "@jupyter-widgets/controls",
      model: `${name}Model`,
      view: `${name}View`,
      state: {
        _dom_classes: [],
        layout: boxLayout.reference,
        ...(styling ? { style: styling.reference, disabled } : {}),
        ...(description === undefined ? {} : { description }),
        tooltip,
        ...checked,
      },
      accepts,
      changed: (keys) => this.changed(keys),
      custom: (content) => this.custom(content),
    });
  }

  /** The model's id, which the front end knows it by. */
  get id(): string {
    return this.model.id;
  }

  get description(): string {
    return (this.model.get("description") as string | undefined) ?? "";
  }

  set description(text: string) {
    this.model.set({ description: text });
  }

  get disabled(): boolean {
    return this.model.get("disabled") === true;
  }

  set disabled(disabled: boolean) {
    this.model.set({ disabled });
  }

  /** Takes the widget out of every page. */
  close(): void {
    for (const each of [this.model, ...this.companions]) each.close();
  }

  /** The front end changed these keys of the state. */
  protected changed(_keys: readonly string[]): void {}

  /** The front end sent a message of the widget's own. */
  protected custom(_content: unknown): void {}

  /** What stands in the brackets of the widget's text. */
  protected summary(): string {
    return this.description === "" ? "" : JSON.stringify(this.description);
  }

  /** One line of text, for readers without widgets. */
  toString(): string {
    return `${this.kind}(${this.summary()})`;
  }
}

showWith(Widget.prototype, (widget) => ({
  "application/vnd.jupyter.widget-view+json": { version_major: 2, version_minor: 1, model_id: widget.id },
  "text/plain": widget.toString(),
}));

/** An error about the value of an option. */
export function optionError(place: string, option: string, expected: string, got: unknown): OptionError {
  return new OptionError(
    `${place}: ${option} must be ${expected}, got ${typeof got === "string" ? JSON.stringify(got) : String(got)}`,
  );
}
