import { ValueWidget } from "./valueWidget.js";
import { optionError, type WidgetOptions } from "./widget.js";

export interface SliderOptions extends WidgetOptions {
  /** Where the slider stands at first; `min` unless given. */
  readonly value?: number;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly orientation?: "horizontal" | "vertical";
  /** Tells every position of a drag, true unless set; else only where it ends. */
  readonly continuousUpdate?: boolean;
}

interface SliderKind {
  readonly name: "IntSlider" | "FloatSlider";
  readonly max: number;
  readonly step: number;
  readonly format: string;
  readonly expected: "an integer" | "a finite number";
  readonly fits: (value: unknown) => boolean;
}

/** What both sliders are: a number between two ends. */
export abstract class Slider extends ValueWidget<number> {
  private readonly slider: SliderKind;

  protected constructor(kind: SliderKind, options: SliderOptions) {
    const { min = 0, max = kind.max, step = kind.step, orientation = "horizontal", continuousUpdate = true } = options;
    const { value = min } = options;
    super({
      name: kind.name,
      style: "SliderStyleModel",
      options,
      own: ["value", "min", "max", "step", "orientation", "continuousUpdate"],
      state: () => {
        for (const [option, given] of Object.entries({ min, max, step, value })) {
          if (!kind.fits(given)) throw optionError(kind.name, option, kind.expected, given);
        }
        if (min > max) throw optionError(kind.name, "min", `at most max (${max})`, min);
        if (!(step > 0)) throw optionError(kind.name, "step", "above 0", step);
        if (value < min || value > max) throw optionError(kind.name, "value", `in ${min}…${max}`, value);
        const { format: readout_format } = kind;
        return {
          value,
          min,
          max,
          step,
          orientation,
          continuous_update: continuousUpdate,
          readout: true,
          readout_format,
        };
      },
      accepts: {
        value: (given) => (kind.fits(given) && Number(given) >= min && Number(given) <= max ? given : undefined),
      },
    });
    this.slider = kind;
  }

  get min(): number {
    return Number(this.model.get("min"));
  }

  get max(): number {
    return Number(this.model.get("max"));
  }

  override get value(): number {
    return Number(this.model.get("value"));
  }

  override set value(value: number) {
    const { name, fits, expected } = this.slider;
    if (!fits(value) || value < this.min || value > this.max) {
      throw optionError(name, "value", `${expected} in ${this.min}…${this.max}`, value);
    }
    this.assign("value", value);
  }

  protected override summary(): string {
    return `${this.value} in ${this.min}…${this.max}`;
  }
}
