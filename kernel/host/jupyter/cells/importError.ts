/** A module that cannot be found or loaded. */
export class ImportError extends Error {
  override readonly name: string = "ImportError";
}
