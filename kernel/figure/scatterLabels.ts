import type { ScatterPayload } from "../views/index.js";
import type { PlotArea } from "./plotFrame.js";
import { fitText, textLine, textWidth } from "./svg.js";

const mostLabels = 24;
const mostTried = 96;
/** Free room around a name. */
const gap = 1.5;

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * Names of the marked points, then of those that lie furthest out, as many as fit without touching each other or a point: on the right,
 * on the left, above, below or askew.
 */
export function pointLabels(
  { points }: ScatterPayload,
  {
    area,
    places,
  }: { readonly area: PlotArea; readonly places: readonly (readonly [x: number, y: number] | undefined)[] },
  { radius, labelSize }: { readonly radius: number; readonly labelSize: number },
  marked: ReadonlySet<number>,
): readonly string[] {
  const known = places.flatMap((place, at) => (place ? [{ at, x: place[0], y: place[1] }] : []));
  const mean = (of: (point: (typeof known)[number]) => number): number =>
    known.reduce((sum, point) => sum + of(point), 0) / known.length;
  const [centreX, centreY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const far = ({ at, x, y }: (typeof known)[number]): number =>
    Math.hypot((x - centreX) / area.width, (y - centreY) / area.height) + (marked.has(at) ? 2 : 0);
  const taken: Box[] = known.map(({ x, y }) => boxAround(x, y, radius, radius));
  const labels: string[] = [];
  for (const { at, x, y } of [...known].sort((a, b) => far(b) - far(a)).slice(0, mostTried)) {
    if (labels.length === mostLabels) break;
    const text = fitText(points.labels[at], labelSize, 90);
    const half = textWidth(text, labelSize) / 2;
    const aside = radius + 2 + gap + half;
    const above = radius + 1 + gap + labelSize / 2;
    const askew = half + gap;
    const centres = [
      ...[[x + aside, y], [x - aside, y], [x, y - above], [x, y + above]], // prettier-ignore
      ...[-above, above].flatMap((down) => [[x + askew, y + down], [x - askew, y + down]]), // prettier-ignore
    ] as const;
    const centre = centres.find(([cx, cy]) => {
      const box = boxAround(cx, cy, half + gap, labelSize / 2 + gap);
      const isInside = box.left >= area.left && box.right <= area.left + area.width && box.top >= area.top - labelSize && box.bottom <= area.top + area.height + 2; // prettier-ignore
      return isInside && !taken.some((other) => isTouching(box, other));
    });
    if (!centre) continue;
    const [cx, cy] = centre;
    taken.push(boxAround(cx, cy, half + gap, labelSize / 2 + gap));
    labels.push(textLine(cx - half, cy + 3, text, { size: labelSize }));
  }
  return labels;
}

const boxAround = (x: number, y: number, wide: number, high: number): Box => ({
  ...{ left: x - wide, right: x + wide, top: y - high, bottom: y + high },
});

const isTouching = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
