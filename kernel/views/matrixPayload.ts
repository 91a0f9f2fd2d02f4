import type { Heading } from "./heading.js";

/** MIME type of a matrix; the major version is part of the name. */
export const matrixMime = "application/vnd.attention-lab.matrix.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const matrixVersion = "1.0";

/** What lies along a side: `"layer"`, `"head"` and `"token"` are understood, other names are only shown. */
export interface MatrixAxis {
  readonly name: string;
  readonly labels: readonly string[];
}

/** Numbers by two things, such as layer and head, or layer and token. Plain JSON. */
export interface MatrixPayload extends Heading<"matrix"> {
  /** What a number is. */
  readonly measure: string;
  /** `"diverging"`: differences, about 0; `"sequential"`: amounts, from 0. */
  readonly kind: "diverging" | "sequential";
  readonly rows: MatrixAxis;
  readonly columns: MatrixAxis;
  /** [row, column] row-major; `null` where there is none. */
  readonly values: readonly (number | null)[];
  readonly notes: readonly string[];
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const matrixCaps: {
  readonly side: number;
  readonly cells: number;
  readonly labelLength: number;
  readonly measureLength: number;
} = { side: 65_536, cells: 262_144, labelLength: 128, measureLength: 256 };
