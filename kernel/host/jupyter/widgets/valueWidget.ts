import { checkEvent, createListener } from "./listener.js";
import { Widget } from "./widget.js";

/** A control that holds a value. */
export abstract class ValueWidget<V> extends Widget {
  private readonly listeners = new Map<(value: V) => unknown, (value: V) => void>();

  /** What the control shows now. */
  abstract get value(): V;
  /** Changes it in every page; handlers are called as if the reader had done it. */
  abstract set value(value: V);

  /**
   * Calls `handler` with each new value, between the awaits of a busy cell. While a promise of it is open, newer values
   * wait, and only the latest of them is told.
   */
  on(event: "change", handler: (value: V) => unknown): void {
    checkEvent(event, "change");
    this.listeners.set(handler, createListener(handler, "latest"));
  }

  /** Takes a handler off again. */
  off(event: "change", handler: (value: V) => unknown): void {
    checkEvent(event, "change");
    this.listeners.delete(handler);
  }

  /** Sets a key of the state and tells the handlers, unless it has that value already. */
  protected assign(key: string, state: unknown): void {
    if (Object.is(this.model.get(key), state)) return;
    this.model.set({ [key]: state });
    this.tell();
  }

  protected tell(): void {
    for (const listener of this.listeners.values()) listener(this.value);
  }

  protected override changed(_keys: readonly string[]): void {
    this.tell();
  }
}
