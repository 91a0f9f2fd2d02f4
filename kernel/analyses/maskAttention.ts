import type { Run } from "../models/index.js";
import { checkOptions, OptionError, ShapeError } from "../tensor/index.js";
import { HeadScores } from "./headScores.js";
import { gridOf } from "./parts/perHead.js";

export interface MaskAttentionOptions {
  /** The token whose attention is looked at; default 0, the class token of a ViT. */
  readonly query?: number;
}

/** The share of each patch that a mask covers, row by row. */
function covered(mask: ArrayLike<number>, picture: ReturnType<Run["picture"]>): Float64Array {
  const { width, height, rows, columns } = picture;
  if (mask.length !== width * height)
    throw new ShapeError(`maskAttention: a mask of a picture of ${width} × ${height} pixels must have ${width * height} numbers, got ${mask.length}`); // prettier-ignore
  const [down, across] = [height / rows, width / columns];
  const shares = new Float64Array(rows * columns);
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const [row, column] = [Math.floor(pixel / width / down), Math.floor((pixel % width) / across)];
    if (mask[pixel] !== 0) shares[row * columns + column] += 1 / (down * across);
  }
  return shares;
}

/**
 * How much of each head's attention on patches lies on an object, against what even attention would put there.
 *
 *   in mask   Σₖ A[query,k] · mₖ / Σₖ A[query,k], over patches k, of which mₖ is the share that the mask covers
 *   chance    the mean of mₖ, which is the share of the mask in the picture
 *   ratio     in mask / chance
 *
 * Shapes   masks: per picture [height,width] row-major, as the model saw it; anything but 0 is the object
 * Range    a picture whose mask is empty says nothing: NaN, left out of means
 * Throws   OptionError for a run without pictures or patterns, a number of masks that is not that of the pictures, or a
 *          query that is not there; ShapeError for a mask of another size
 * Example  maskAttention(run, rows.map(({ mask }) => mask)).sorted("in mask")
 */
export function maskAttention(
  run: Run,
  masks: readonly ArrayLike<number>[],
  options: MaskAttentionOptions = {},
): HeadScores {
  checkOptions("maskAttention", options, ["query"]);
  const { query = 0 } = options;
  const labels = run.pictureTokens ?? run.tokens;
  const { stack, rows, columns } = run.picture();
  if (masks.length !== labels.length)
    throw new OptionError(`maskAttention: expected a mask for each of ${labels.length} pictures, got ${masks.length}`);
  const tokens = labels[0].length;
  if (!Number.isInteger(query) || query < 0 || query >= tokens)
    throw new OptionError(`maskAttention: expected a query in 0 … ${tokens - 1}, got ${String(query)}`);
  const first = query * tokens + tokens - rows * columns;
  const place = stack.name === "" ? {} : { stack: stack.name };
  const measured: Record<"in mask" | "chance" | "ratio", number[][][]> = { "in mask": [], chance: [], ratio: [] };
  masks.forEach((mask, prompt) => {
    const shares = covered(mask, run.picture(prompt));
    const chance = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const inMask = gridOf(stack, (layer, head) => {
      if (chance === 0) return NaN;
      const { data } = run.headPattern({ ...place, layer, head, prompt });
      let [on, all] = [0, 0];
      shares.forEach((share, patch) => {
        on += data[first + patch] * share;
        all += data[first + patch];
      });
      return on / all;
    });
    measured["in mask"].push(inMask);
    measured.chance.push(gridOf(stack, () => (chance === 0 ? NaN : chance)));
    measured.ratio.push(inMask.map((heads) => heads.map((share) => share / chance)));
  });
  const caption = `Attention of ${labels[0][query]} on patches that lies on the masks, ${masks.length} pictures`;
  return new HeadScores({ caption, measured, provenance: async () => (await run.heading()).provenance });
}
