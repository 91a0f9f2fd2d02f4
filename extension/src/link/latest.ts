/** Asks for one thing at a time: while an answer is awaited, only the latest wish is kept. */
export interface Latest<Wish> {
  readonly want: (wish: Wish) => void;
  /** Forgets what is wished. */
  readonly drop: () => void;
}

/** Serves wishes with `serve`, which must not reject. */
export function createLatest<Wish>(serve: (wish: Wish) => Promise<void>): Latest<Wish> {
  let next: { readonly wish: Wish } | undefined;
  let isBusy = false;
  const work = async (): Promise<void> => {
    isBusy = true;
    for (let now = next; now; now = next) {
      next = undefined;
      await serve(now.wish);
    }
    isBusy = false;
  };
  return {
    want(wish): void {
      next = { wish };
      if (!isBusy) void work();
    },
    drop: () => void (next = undefined),
  };
}
