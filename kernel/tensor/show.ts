/** What a value shows in a notebook: one entry per MIME type. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/**
 * Gives the values of a class the method `[Symbol.for("Jupyter.display")]` by which they show themselves in a notebook.
 * It is defined apart from the class: a computed name in a class body cannot stand in generated declarations.
 */
export function showWith<T extends object>(prototype: T, bundle: (value: T) => MimeBundle | Promise<MimeBundle>): void {
  Object.defineProperty(prototype, Symbol.for("Jupyter.display"), {
    value(this: T) {
      return bundle(this);
    },
  });
}
