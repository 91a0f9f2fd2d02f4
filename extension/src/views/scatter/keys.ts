/** Where a point lies on the screen; undefined where it is not drawn. */
export type Place = readonly [x: number, y: number] | undefined;

/** A rectangle between two corners, in the pixels of the plot. */
export interface Brush {
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
}

/**
 * The point that a key leads to: left and right go through the points by x, up and down by y, Home and End to the ends of x.
 * Undefined for other keys, and where nothing is drawn.
 */
export function pointAfter(key: string, places: readonly Place[], from: number | undefined): number | undefined {
  const axis = key === "ArrowUp" || key === "ArrowDown" ? 1 : 0;
  const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: -1, ArrowDown: 1 };
  const order = places
    .flatMap((place, at) => (place ? [{ at, along: place[axis] }] : []))
    .sort((a, b) => a.along - b.along || a.at - b.at);
  if (key === "Home") return order[0]?.at;
  if (key === "End") return order.at(-1)?.at;
  const step = steps[key];
  if (step === undefined) return undefined;
  const here = order.findIndex(({ at }) => at === from);
  if (here < 0) return order[0]?.at;
  return order[Math.min(order.length - 1, Math.max(0, here + step))]?.at;
}

/** The points inside a rectangle, its edges included. */
export function pointsIn({ from, to }: Brush, places: readonly Place[]): ReadonlySet<number> {
  const within = (value: number, a: number, b: number): boolean =>
    value >= Math.min(a, b) - 0.01 && value <= Math.max(a, b) + 0.01;
  return new Set(
    places.flatMap((place, at) =>
      place && within(place[0], from[0], to[0]) && within(place[1], from[1], to[1]) ? [at] : [],
    ),
  );
}

/** The point nearest to a place, no further away than `reach` pixels. */
export function pointNear(x: number, y: number, places: readonly Place[], reach: number = 12): number | undefined {
  let best: { readonly at: number; readonly away: number } | undefined;
  places.forEach((place, at) => {
    if (!place) return;
    const away = Math.hypot(place[0] - x, place[1] - y);
    if (away <= reach && !(best && best.away <= away)) best = { at, away };
  });
  return best?.at;
}
