import { headGridMime, headGridText, readHeadGrid } from "./headGrid.js";

/** What the lab knows about one kind of payload. */
export interface Payload<Value> {
  /** Checks a foreign value; throws PayloadError with a readable reason. */
  readonly read: (value: unknown) => Value;
  /** The multi-line summary that stands beside the picture as `text/plain`. */
  readonly text: (payload: Value) => string;
}

/** Every payload by MIME type: one line per view. */
export const payloads: { readonly [headGridMime]: Payload<ReturnType<typeof readHeadGrid>> } = {
  [headGridMime]: { read: readHeadGrid, text: headGridText },
};

/** MIME types that a view must draw. */
export type PayloadMime = keyof typeof payloads;
