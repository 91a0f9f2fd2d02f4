import { ValueWidget } from "./valueWidget.js";
import { optionError, type WidgetOptions } from "./widget.js";

export interface DropdownOptions<T> extends WidgetOptions {
  /** The values, shown by their text, or labels with their values. */
  readonly options: readonly T[] | Readonly<Record<string, T>>;
  /** The first of the options unless given. */
  readonly value?: T;
}

/**
 * A list of which one value is chosen.
 *
 * Throws   OptionError without options, or on a value that is none of them, here and on assignment
 * Example  new Dropdown({ options: { "mean ablation": "mean", "zero ablation": "zero" }, description: "mode" })
 */
export class Dropdown<T> extends ValueWidget<T> {
  private readonly values: readonly T[];
  private readonly labels: readonly string[];

  constructor(options: DropdownOptions<T>) {
    const given: object = options.options ?? {};
    const values: readonly T[] = Object.values(given);
    const labels = Array.isArray(given) ? given.map(String) : Object.keys(given);
    super({
      name: "Dropdown",
      style: "DescriptionStyleModel",
      options,
      own: ["options", "value"],
      state: () => {
        if (values.length === 0) throw optionError("Dropdown", "options", "a list or labels with values", given);
        return { _options_labels: labels, index: "value" in options ? indexOf(values, labels, options.value) : 0 };
      },
      accepts: { index: (at) => (Number.isInteger(at) && Object.hasOwn(values, at as number) ? at : undefined) },
    });
    this.values = values;
    this.labels = labels;
  }

  override get value(): T {
    return this.values[Number(this.model.get("index"))] as T;
  }

  override set value(value: T) {
    this.assign("index", indexOf(this.values, this.labels, value));
  }

  protected override summary(): string {
    return JSON.stringify(this.labels[Number(this.model.get("index"))]);
  }
}

function indexOf(values: readonly unknown[], labels: readonly string[], value: unknown): number {
  const at = values.findIndex((each) => Object.is(each, value));
  if (at < 0)
    throw optionError("Dropdown", "value", `one of ${labels.map((label) => JSON.stringify(label)).join(", ")}`, value);
  return at;
}
