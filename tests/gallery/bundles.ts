import { payloads, type PayloadMime } from "attention-lab/views";
import { withPicture } from "../../kernel/lib/host/jupyter/figures.js";
import { example, exampleNames } from "./examples.js";

/** A gallery example as a kernel shows it. */
export interface GalleryBundle {
  readonly name: string;
  readonly mime: PayloadMime;
  readonly title: string;
  /** MIME type → data: the payload, its picture, its text. */
  readonly data: Readonly<Record<string, unknown>>;
}

function textOf<Mime extends PayloadMime>(mime: Mime, payload: unknown): string {
  const { read, text } = payloads[mime];
  return text(read(payload));
}

/**
 * Every gallery example as a notebook holds it: payload, PNG and text.
 *
 * Throws   Error for an example that has no picture
 */
export function galleryBundles(): Promise<readonly GalleryBundle[]> {
  return Promise.all(
    exampleNames.map(async (name) => {
      const { mime, payload } = example(name);
      const bundle = { [mime]: payload, "text/plain": textOf(mime, payload) };
      const { data } = await withPicture(bundle, (reason) => {
        throw new Error(reason);
      });
      return { name, mime, title: (payload as { readonly title: string }).title, data };
    }),
  );
}
