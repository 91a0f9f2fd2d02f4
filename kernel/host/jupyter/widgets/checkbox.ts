import { ValueWidget } from "./valueWidget.js";
import { optionError, type WidgetOptions } from "./widget.js";

export interface CheckboxOptions extends WidgetOptions {
  /** False unless given. */
  readonly value?: boolean;
}

/**
 * A box that is checked or not.
 *
 * Throws   OptionError on a value that is not boolean, here and on assignment
 */
export class Checkbox extends ValueWidget<boolean> {
  constructor(options: CheckboxOptions = {}) {
    super({
      name: "Checkbox",
      style: "CheckboxStyleModel",
      options,
      own: ["value"],
      state: () => ({ value: checked(options.value ?? false), indent: false }),
      accepts: { value: (given) => (typeof given === "boolean" ? given : undefined) },
    });
  }

  override get value(): boolean {
    return this.model.get("value") === true;
  }

  override set value(value: boolean) {
    this.assign("value", checked(value));
  }

  protected override summary(): string {
    return String(this.value);
  }
}

function checked(value: unknown): boolean {
  if (typeof value !== "boolean") throw optionError("Checkbox", "value", "true or false", value);
  return value;
}
