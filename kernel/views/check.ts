import { PayloadError } from "./payloadError.js";

/** Checks parts of a foreign value: each returns the part, typed, or throws a PayloadError that names its place. */
export interface Check {
  readonly record: (value: unknown, place: string) => Readonly<Record<string, unknown>>;
  /** A list of `least` … `most` entries. */
  readonly list: (value: unknown, place: string, least: number, most: number) => readonly unknown[];
  /** A whole number. */
  readonly count: (value: unknown, place: string, least: number, most: number) => number;
  /** Numbers, none of them infinite or NaN; `null` stands for a missing one where `gaps` is true. */
  readonly numbers: (value: unknown, place: string, length: number, options?: { readonly gaps?: boolean }) => void;
  readonly text: (value: unknown, place: string, limit: number) => string;
  readonly texts: (value: unknown, place: string, least: number, most: number, limit: number) => readonly string[];
  readonly oneOf: <Name extends string>(value: unknown, place: string, names: readonly Name[]) => Name;
  readonly flag: (value: unknown, place: string) => boolean;
  readonly fail: (place: string, expected: string, got: unknown) => never;
}

/** The checks of one view; `view` begins every message. */
export function checksOf(view: string): Check {
  const fail = (place: string, expected: string, got: unknown): never => {
    throw new PayloadError(`${view}: ${place}: expected ${expected}, got ${quote(got)}`);
  };
  const check: Check = {
    record(value, place) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(place, "an object", value);
      return value as Readonly<Record<string, unknown>>;
    },
    list(value, place, least, most) {
      if (!Array.isArray(value)) return fail(place, "a list", value);
      if (value.length < least || value.length > most) {
        return fail(place, least === most ? `${least} entries` : `${least}…${most} entries`, value.length);
      }
      return value as readonly unknown[];
    },
    count(value, place, least, most) {
      if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
        return fail(place, least === most ? `${least}` : `a whole number in ${least}…${most}`, value);
      }
      return value as number;
    },
    numbers(value, place, length, { gaps = false } = {}) {
      for (const entry of check.list(value, place, length, length)) {
        if (!(Number.isFinite(entry) || (gaps && entry === null))) {
          fail(place, gaps ? "finite numbers or null" : "finite numbers", entry);
        }
      }
    },
    text(value, place, limit) {
      if (typeof value !== "string") return fail(place, "text", value);
      if (value.length > limit) return fail(place, `at most ${limit} characters`, value.length);
      return value;
    },
    texts(value, place, least, most, limit) {
      return check.list(value, place, least, most).map((entry, at) => check.text(entry, `${place}[${at}]`, limit));
    },
    oneOf(value, place, names) {
      const found = names.find((name) => name === value);
      return found ?? fail(place, names.map((name) => JSON.stringify(name)).join(" or "), value);
    },
    flag(value, place) {
      return typeof value === "boolean" ? value : fail(place, "true or false", value);
    },
    fail,
  };
  return check;
}

/** A short picture of a foreign value: never its whole content. */
function quote(value: unknown): string {
  if (typeof value === "string") {
    return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
