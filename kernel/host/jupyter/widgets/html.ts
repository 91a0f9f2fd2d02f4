import { ValueWidget } from "./valueWidget.js";
import { optionError, type WidgetOptions } from "./widget.js";

export interface HTMLOptions extends WidgetOptions {
  /** Markup as it is: escape what comes from data. */
  readonly value?: string;
}

/** A piece of HTML that a handler may replace. */
export class HTML extends ValueWidget<string> {
  constructor(options: HTMLOptions = {}) {
    super({
      name: "HTML",
      style: "HTMLStyleModel",
      options,
      own: ["value"],
      state: () => ({ value: markup(options.value ?? "") }),
    });
  }

  override get value(): string {
    return String(this.model.get("value"));
  }

  override set value(value: string) {
    this.assign("value", markup(value));
  }

  protected override summary(): string {
    return JSON.stringify(this.value);
  }
}

function markup(value: unknown): string {
  if (typeof value !== "string") throw optionError("HTML", "value", "a string", value);
  return value;
}
