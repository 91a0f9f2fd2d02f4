import { showWith } from "../tensor/index.js";
import { curves, curvesMime, curvesText } from "../views/index.js";
import type { Curve, CurvesOptions, CurvesPayload } from "../views/index.js";

/** Curves that show themselves. */
export class CurvePlot {
  readonly payload: CurvesPayload;

  constructor(payload: CurvesPayload) {
    this.payload = payload;
  }
}

showWith(CurvePlot.prototype, ({ payload }) => ({ [curvesMime]: payload, "text/plain": curvesText(payload) }));

/**
 * Curves of one's own as a figure.
 *
 * Throws   PayloadError where x and y differ in length; OptionError on an unknown option
 * Example  plotCurves([{ name: "softmax", x: steps, y: mass }], { title: "Attention on the first token", xLabel: "step" })
 */
export function plotCurves(list: readonly Curve[], options: CurvesOptions): CurvePlot {
  return new CurvePlot(curves(list, options));
}
