import { headGridMime, payloads, type PayloadMime } from "attention-lab/views";
import { headGridView } from "./headGrid/index.js";
import type { View, ViewContext } from "./view.js";

type PayloadOf<Mime extends PayloadMime> = ReturnType<(typeof payloads)[Mime]["read"]>;

/** Every view by the MIME type it draws: a payload without a view does not compile. */
const views: { readonly [Mime in PayloadMime]: (payload: PayloadOf<Mime>, context: ViewContext) => View } = {
  [headGridMime]: headGridView,
};

/**
 * Checks a value and draws it.
 *
 * Throws   PayloadError with a readable reason when the value is not a valid payload of this MIME type
 */
export function viewOf(mime: PayloadMime, value: unknown, context: ViewContext): View {
  return views[mime](payloads[mime].read(value), context);
}

/** Whether a MIME type has a view. */
export function isKnown(mime: string): mime is PayloadMime {
  return Object.hasOwn(views, mime);
}
