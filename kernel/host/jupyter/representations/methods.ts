import { types } from "node:util";
import type { Kind } from "./representation.js";

/** Methods by which libraries offer a richer form of a value, and what they return. */
const methods: readonly (readonly [string, string])[] = [
  ["toHTML", "text/html"],
  ["_repr_html_", "text/html"],
  ["_repr_svg_", "image/svg+xml"],
  ["_repr_markdown_", "text/markdown"],
  ["_repr_latex_", "text/latex"],
];

/** Values with `toHTML()`, or with the methods that IPython's libraries use. What is not text is passed over. */
export const ownMethods: Kind = {
  represent(value, textOf) {
    if (typeof value !== "object" || value === null || types.isProxy(value)) return undefined;
    const found = methods.flatMap(([name, mime]) => {
      const made: unknown = methodOf(value, name)?.call(value);
      return typeof made === "string" ? [[mime, made] as const] : [];
    });
    return found.length === 0 ? undefined : { ...Object.fromEntries(found), "text/plain": textOf(value) };
  },
};

/** A method of the value or of its classes; getters are not run. */
function methodOf(value: object, name: string): ((this: object) => unknown) | undefined {
  for (let each: object | null = value; each; each = Object.getPrototypeOf(each) as object | null) {
    const found: unknown = Object.getOwnPropertyDescriptor(each, name)?.value;
    if (typeof found === "function") return found as (this: object) => unknown;
  }
  return undefined;
}
