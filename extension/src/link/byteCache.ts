/** Keeps the most recently used values up to a number of bytes. */
export interface ByteCache<Value> {
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value, bytes: number) => void;
}

/** An empty cache of at most `budgetBytes`; the value put in last stays, however large. */
export function createByteCache<Value>(budgetBytes: number): ByteCache<Value> {
  const held = new Map<string, { readonly value: Value; readonly bytes: number }>();
  let total = 0;
  const remove = (key: string): void => {
    total -= held.get(key)?.bytes ?? 0;
    held.delete(key);
  };
  return {
    get(key) {
      const found = held.get(key);
      if (!found) return undefined;
      held.delete(key);
      held.set(key, found);
      return found.value;
    },
    set(key, value, bytes) {
      remove(key);
      held.set(key, { value, bytes });
      total += bytes;
      for (const oldest of held.keys()) {
        if (total <= budgetBytes || oldest === key) return;
        remove(oldest);
      }
    },
  };
}
