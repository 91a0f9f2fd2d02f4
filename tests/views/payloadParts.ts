/** A path to a part of a payload. */
export type PartPath = readonly string[];

/** Every path to a part of a value, at most `most` of a long list. */
export function pathsOf(value: unknown, most: number = 4): PartPath[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value)
    .slice(0, Array.isArray(value) ? most : undefined)
    .flatMap(([key, child]) => [[key], ...pathsOf(child, most).map((path) => [key, ...path])]);
}

/** The part at a path. */
export function partAt(value: unknown, path: PartPath): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], value);
}

/** The value with another part at a path; what lies beside the path is shared. */
export function withPart(value: unknown, path: PartPath, part: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return part;
  const inner = withPart((value as Record<string, unknown>)[key], rest, part);
  if (Array.isArray(value)) return value.map((each: unknown, at) => (String(at) === key ? inner : each));
  return { ...(value as object), [key]: inner };
}
