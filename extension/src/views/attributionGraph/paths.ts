import type { AttributionGraphLayout } from "attention-lab/figure";
import type { AttributionGraphPayload } from "attention-lab/views";

/** The drawn edges on the ways that lead to a node and away from it. */
export function pathsThrough(
  { edges }: AttributionGraphPayload,
  { drawn }: AttributionGraphLayout,
  node: number,
): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [start, end] of [
    [edges.to, edges.from],
    [edges.from, edges.to],
  ] as const) {
    // prettier-ignore
    const reached = new Set([node]);
    const open = [node];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (let edge = 0; edge < drawn; edge++) {
        if (start[edge] !== at) continue;
        found.add(edge);
        const next = end[edge] ?? at;
        if (!reached.has(next)) open.push(next);
        reached.add(next);
      }
    }
  }
  return found;
}

/** The shown node that an arrow leads to: the nearest in that direction, sideways distance counting more; undefined for other keys. */
export function nodeAfter(
  key: string,
  { places }: AttributionGraphLayout,
  from: number | undefined,
): number | undefined {
  const directions: Readonly<Record<string, readonly [x: number, y: number]>> = {
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
  };
  const direction = directions[key];
  if (!direction) return undefined;
  const shown = places.flatMap((place, at) => (place.isShown ? [{ ...place, at }] : []));
  const here = from === undefined ? undefined : places[from];
  if (!here?.isShown) return shown[0]?.at;
  const [dx, dy] = direction;
  let best: { readonly at: number; readonly cost: number } | undefined;
  for (const { x, y, at } of shown) {
    const along = (x - here.x) * dx + (y - here.y) * dy;
    const aside = Math.abs((x - here.x) * dy) + Math.abs((y - here.y) * dx);
    if (along < 0.5) continue;
    // Left and right stay in their row as long as it has a node there.
    const cost = along + aside * (dx === 0 ? 0.2 : 8);
    if (!best || cost < best.cost) best = { at, cost };
  }
  return best?.at ?? from;
}

/** The shown node under a place, no further away than `reach` pixels. */
export function nodeNear(x: number, y: number, { places, radius }: AttributionGraphLayout): number | undefined {
  const reach = radius + 5;
  let best: { readonly at: number; readonly away: number } | undefined;
  places.forEach((place, at) => {
    const away = Math.hypot(place.x - x, place.y - y);
    if (place.isShown && away <= reach && !(best && best.away <= away)) best = { at, away };
  });
  return best?.at;
}
