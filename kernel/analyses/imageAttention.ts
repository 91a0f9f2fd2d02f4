import type { Run, RunHeading } from "../models/index.js";
import { checkOptions, OptionError, showWith, type MimeBundle } from "../tensor/index.js";
import {
  imageOverlay,
  imageOverlayMime,
  imageOverlayText,
  mapsThatFit,
  type ImageOverlayPayload,
  type OverlayMap,
  type PixelMask,
} from "../views/index.js";
import { rolled } from "./attentionRollout.js";

export interface ImageAttentionOptions {
  /** Which picture of the run: default 0. */
  readonly picture?: number;
  /** All heads of one layer, and their mean; default: the mean over heads in every layer, and the rollout. */
  readonly layer?: number;
  /** What belongs to an object, over the picture as `run.picture()` shows it: its outline is drawn. */
  readonly mask?: PixelMask;
  readonly title?: string;
  readonly notes?: readonly string[];
}

/** Attention over a picture. Immutable; shows itself. */
export class ImageAttention {
  readonly #payload: () => Promise<ImageOverlayPayload>;

  constructor(payload: () => Promise<ImageOverlayPayload>) {
    this.#payload = payload;
  }

  async bundle(): Promise<MimeBundle> {
    const payload = await this.#payload();
    return { [imageOverlayMime]: payload, "text/plain": imageOverlayText(payload) };
  }
}

showWith(ImageAttention.prototype, (attention) => attention.bundle());

/**
 * What a vision model attends to, over the picture as it saw it: from the class token, or from a patch that is clicked.
 *
 * Shapes   per map [query, patch]; keys that are no patches are left out, so rows may sum to less than 1
 * Throws   OptionError for a run without pictures or patterns, a picture or layer that is not there, or an unknown option
 * Source   rollout: arXiv:2005.00928 §3.1, the mean over heads and the identity in equal parts
 * Example  imageAttention(await vit.run({ images: "cat.png" }), { layer: 11 })
 */
export function imageAttention(run: Run, options: ImageAttentionOptions = {}): ImageAttention {
  checkOptions("imageAttention", options, ["picture", "layer", "mask", "title", "notes"]);
  const { picture = 0, layer, mask, title = "Attention over the picture", notes = [] } = options;
  const seen = run.picture(picture);
  const { layers, heads, name } = seen.stack;
  if (layer !== undefined && !(Number.isInteger(layer) && layer >= 0 && layer < layers)) {
    throw new OptionError(`imageAttention: expected a layer in 0 … ${layers - 1}, got ${String(layer)}`);
  }
  const labels = (run.pictureTokens ?? run.tokens)[picture];
  const patches = seen.rows * seen.columns;
  const fit = mapsThatFit(labels.length * patches);
  const head = (inLayer: number, ofHead: number): Float32Array =>
    run.headPattern({ ...(name === "" ? {} : { stack: name }), layer: inLayer, head: ofHead, prompt: picture }).data;
  const mean = (inLayer: number): Float64Array => {
    const sum = new Float64Array(labels.length ** 2);
    for (let ofHead = 0; ofHead < heads; ofHead++)
      head(inLayer, ofHead).forEach((weight, at) => (sum[at] += weight / heads));
    return sum;
  };
  const map = (text: string, at: readonly [layer: number, head: number], whole: ArrayLike<number>): OverlayMap => ({
    ...{ name: text, layer: at[0], head: at[1] },
    weights: overPatches(whole, labels.length, patches),
  });
  const made: OverlayMap[] = [];
  const more: string[] = [];
  if (layer === undefined) {
    const means = Array.from({ length: layers }, (_, l) => mean(l));
    const kept = spread(layers, fit - 1);
    if (kept.length < layers) more.push(`of ${layers} layers, those that fit are shown`);
    made.push(
      map("rollout", [-1, -1], rolloutOf(means, labels.length)),
      ...kept.map((l) => map(`L${l} mean`, [l, -1], means[l])),
    );
  } else {
    const kept = spread(heads, fit - 1);
    if (kept.length < heads) more.push(`of ${heads} heads, those that fit are shown`);
    made.push(
      ...kept.map((h) => map(`L${layer}.H${h}`, [layer, h], head(layer, h))),
      map(`L${layer} mean`, [layer, -1], mean(layer)),
    );
  }
  const payload = ({ provenance, sharedAs }: Pick<RunHeading, "provenance" | "sharedAs">): ImageOverlayPayload =>
    imageOverlay(seen, { rows: seen.rows, columns: seen.columns }, labels, made, {
      title,
      mask,
      notes: [...notes, ...more],
      provenance,
      live: sharedAs === undefined ? undefined : { run: sharedAs, stack: name },
    });
  payload({ provenance: {}, sharedAs: undefined }); // what cannot be drawn is refused here, not when it is shown
  return new ImageAttention(async () => payload(await run.heading()));
}

/** The last keys, which are the patches, of every query. */
function overPatches(whole: ArrayLike<number>, tokens: number, patches: number): Float32Array {
  const first = tokens - patches;
  return Float32Array.from(
    { length: tokens * patches },
    (_, at) => whole[Math.floor(at / patches) * tokens + first + (at % patches)],
  );
}

/** The rollout through all layers, [query,key] row-major. */
function rolloutOf(means: readonly Float64Array[], tokens: number): Float64Array {
  let through: Float64Array[] | undefined;
  for (const mean of means) {
    const mixed = Array.from({ length: tokens }, (_, query) => {
      const row = mean.slice(query * tokens, (query + 1) * tokens);
      row[query] += 1;
      const sum = row.reduce((all, weight) => all + weight, 0);
      return row.map((weight) => weight / sum);
    });
    through = rolled(mixed, through);
  }
  return Float64Array.from((through ?? []).flatMap((row) => [...row]));
}

/** At most `most` of `count` places, evenly spread, the last among them; at least that one. */
function spread(count: number, most: number): readonly number[] {
  const kept = Math.max(1, Math.min(count, most));
  return Array.from({ length: kept }, (_, at) =>
    kept === 1 ? count - 1 : Math.round((at * (count - 1)) / (kept - 1)),
  );
}
