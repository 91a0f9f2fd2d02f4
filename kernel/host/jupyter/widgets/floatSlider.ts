import { Slider, type SliderOptions } from "./slider.js";

/**
 * A slider over real numbers.
 *
 * Throws   OptionError on a value that is not finite or outside min…max, here and on assignment
 * Example  const scale = new FloatSlider({ value: 1, min: 0, max: 2, step: 0.05 })
 */
export class FloatSlider extends Slider {
  constructor(options: SliderOptions = {}) {
    super(
      { name: "FloatSlider", max: 10, step: 0.1, format: ".2f", expected: "a finite number", fits: Number.isFinite },
      options,
    );
  }
}
