import { Slider, type SliderOptions } from "./slider.js";

/**
 * A slider over integers.
 *
 * Throws   OptionError on a value that is no integer or outside min…max, here and on assignment
 * Example  const layer = new IntSlider({ value: 3, min: 0, max: 11, description: "layer" })
 */
export class IntSlider extends Slider {
  constructor(options: SliderOptions = {}) {
    super(
      { name: "IntSlider", max: 100, step: 1, format: "d", expected: "an integer", fits: Number.isSafeInteger },
      options,
    );
  }
}
