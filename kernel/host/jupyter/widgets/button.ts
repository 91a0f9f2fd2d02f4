import { checkEvent, createListener } from "./listener.js";
import { Widget, type WidgetOptions } from "./widget.js";

export interface ButtonOptions extends WidgetOptions {
  /** The colour that the theme gives it; plain unless given. */
  readonly buttonStyle?: "primary" | "success" | "info" | "warning" | "danger";
}

/**
 * A button with a description.
 *
 * Example  new Button({ description: "Run" }).on("click", () => ablate(model))
 */
export class Button extends Widget {
  private readonly listeners = new Map<(button: Button) => unknown, (button: Button) => void>();

  constructor(options: ButtonOptions = {}) {
    super({
      name: "Button",
      style: "ButtonStyleModel",
      options,
      own: ["buttonStyle"],
      state: () => ({ button_style: options.buttonStyle ?? "", icon: "" }),
    });
  }

  /** Calls `handler` for each click, in order; a click while its promise is open waits for it. */
  on(event: "click", handler: (button: Button) => unknown): void {
    checkEvent(event, "click");
    this.listeners.set(handler, createListener(handler, "all"));
  }

  /** Takes a handler off again. */
  off(event: "click", handler: (button: Button) => unknown): void {
    checkEvent(event, "click");
    this.listeners.delete(handler);
  }

  /** Does what a click of the reader does. */
  click(): void {
    for (const listener of this.listeners.values()) listener(this);
  }

  protected override custom(content: unknown): void {
    if ((content as { readonly event?: unknown } | null)?.event === "click") this.click();
  }
}
