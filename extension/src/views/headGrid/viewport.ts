/** The part of a matrix that is shown, in tokens: whole numbers. */
export interface Viewport {
  readonly query: number;
  readonly key: number;
  readonly queries: number;
  readonly keys: number;
}

/** Tokens that are shown at least along the longer side. */
const least = 4;

/** All of a matrix. */
export function wholeView(queries: number, keys: number): Viewport {
  return { query: 0, key: 0, queries, keys };
}

/** Whether all of a matrix is shown. */
export function isWhole(view: Viewport, all: Viewport): boolean {
  return view.queries === all.queries && view.keys === all.keys;
}

/**
 * Shown `factor` times larger, about a place of the view (shares 0…1 of its height and width), which stays where it is.
 *
 * Range    never beyond the matrix, never below 4 tokens along the longer side
 */
export function zoomed(
  view: Viewport,
  all: Viewport,
  factor: number,
  place: { readonly down: number; readonly across: number } = { down: 0.5, across: 0.5 },
): Viewport {
  const longest = Math.max(all.queries, all.keys);
  const now = Math.max(view.queries / all.queries, view.keys / all.keys);
  const share = Math.min(1, Math.max(Math.min(1, least / longest), now / factor));
  const queries = Math.max(1, Math.round(all.queries * share));
  const keys = Math.max(1, Math.round(all.keys * share));
  const query = view.query + place.down * (view.queries - queries);
  const key = view.key + place.across * (view.keys - keys);
  return placed({ query, key, queries, keys }, all);
}

/** Moved by tokens, as far as the matrix goes. */
export function panned(view: Viewport, all: Viewport, queries: number, keys: number): Viewport {
  return placed({ ...view, query: view.query + queries, key: view.key + keys }, all);
}

/** Moved as little as needed to show a token of each side. */
export function showing(view: Viewport, all: Viewport, query: number, key: number): Viewport {
  const near = (from: number, count: number, at: number): number => Math.min(at, Math.max(from, at - count + 1));
  return placed({ ...view, query: near(view.query, view.queries, query), key: near(view.key, view.keys, key) }, all);
}

function placed(view: Viewport, all: Viewport): Viewport {
  const within = (at: number, count: number, most: number): number =>
    Math.min(Math.max(0, Math.round(at)), Math.max(0, most - count));
  return {
    ...view,
    query: within(view.query, view.queries, all.queries),
    key: within(view.key, view.keys, all.keys),
  };
}
