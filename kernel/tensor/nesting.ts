/** Whether lists and objects of a parsed JSON text lie in each other deeper than this. */
export function isDeeper(value: unknown, limit: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((held) =>
      typeof held === "object" && held !== null ? (Object.values(held) as unknown[]) : [],
    );
  }
  return false;
}
