/** A payload that cannot be built or read; the message says what was expected and what was found. */
export class PayloadError extends Error {
  override readonly name: string = "PayloadError";
}
