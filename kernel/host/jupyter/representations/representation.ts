/** MIME type → data, as in a Jupyter message. Bytes stand for base64. */
export type Representation = Readonly<Record<string, unknown>>;

/** A kind of value that has more to show than its inspected text. */
export interface Kind {
  /** The bundle for a value of this kind, `text/plain` included; undefined for any other value. */
  represent(value: unknown, textOf: (value: unknown) => string): Representation | undefined;
}
