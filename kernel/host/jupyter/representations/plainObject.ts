import { types } from "node:util";

/** Whether a value is an object of `{}` or `Object.create(null)`, and no proxy: reading its descriptors runs no code. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
