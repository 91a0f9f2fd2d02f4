import type { Tensor } from "../tensor/index.js";
import { checkOptions, OptionError } from "../tensor/index.js";
import type { Batch, Blueprint, PictureSide } from "./family.js";
import type { ModelInput, Prepared } from "./input.js";
import { encodeTexts, prepare } from "./input.js";
import type { Patches } from "./patchGrid.js";
import { cutPatches } from "./patches.js";
import type { Tokenizer } from "./tokenizer.js";

/** A model that reads pictures. */
type Seeing = Blueprint & { readonly pictures: PictureSide };

/**
 * An input with pixel values in place of `images`.
 *
 * Throws   OptionError where both are given
 */
export async function withPixels(
  input: string | readonly string[] | ModelInput,
  pixelValuesOf: (images: NonNullable<ModelInput["images"]>) => Promise<Tensor>,
): Promise<string | readonly string[] | ModelInput> {
  const value: unknown = input;
  if (typeof value !== "object" || value === null || !("images" in value)) return input;
  const { images, ...rest } = value as ModelInput;
  if (rest.pixelValues !== undefined) throw new OptionError("run: expected either images or pixelValues, got both");
  return images === undefined ? rest : { ...rest, pixelValues: await pixelValuesOf(images) };
}

/** A batch whose prompts are the patches of pictures. */
export function picturesOnly(patches: Patches): Prepared {
  const { pictures: size, length } = patches;
  const zeros = new Int32Array(size * length);
  const batch: Batch = {
    ...{ size, length, patches },
    inputIds: zeros,
    attentionMask: new Int32Array(size * length).fill(1),
    tokenTypeIds: zeros,
  };
  return { batch, texts: new Array<undefined>(size).fill(undefined) };
}

/** Throws OptionError unless the prompts hold one image token per patch that is put in its place. */
function checkPlaces({ inputIds }: Batch, patches: Patches, { pictures, architecture }: Seeing): void {
  const { imageToken } = pictures;
  if (!imageToken) return;
  const tokens = inputIds.reduce((count, id) => count + (id === imageToken.id ? 1 : 0), 0);
  const features = patches.pictures * imageToken.perPicture;
  if (tokens !== features) {
    throw new OptionError(
      `run: ${architecture} needs one image token (id ${imageToken.id}) per patch; expected ${features} of them for ${patches.pictures} pictures, got ${tokens}`,
    );
  }
}

/** Texts as the model reads them: an image token for each feature of its picture, all positions filled where it is so. */
function idsOf(
  text: string | readonly string[],
  { pictures, positions, padId }: Seeing,
  tokenizer: Tokenizer | undefined,
): Pick<ModelInput, "inputIds"> {
  const { imageToken, fillsTexts } = pictures;
  const rows = encodeTexts(text, tokenizer).map(({ ids }) => {
    const spread = imageToken
      ? ids.flatMap((id) => (id === imageToken.id ? new Array<number>(imageToken.perPicture).fill(id) : [id]))
      : ids;
    return fillsTexts ? [...spread, ...new Array<number>(Math.max(0, positions - spread.length)).fill(padId)] : spread;
  });
  return { inputIds: rows };
}

/**
 * A batch of pictures, with the prompts that go with them where the model reads text too.
 *
 * Throws   OptionError, ShapeError or UnsupportedError on anything that the model cannot run as it stands
 */
export function preparePictures(
  input: string | readonly string[] | ModelInput,
  blueprint: Seeing,
  tokenizer: Tokenizer | undefined,
): Prepared {
  const { pictures, architecture } = blueprint;
  const { grid, sequence } = pictures;
  const value: unknown = input;
  const readsText = sequence !== "prompt";
  const expected = readsText
    ? "text or { inputIds }, and { pixelValues } or { images }"
    : "{ pixelValues } or { images }";
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const got = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
    throw new OptionError(`run: ${architecture} reads ${expected}, got ${got}`);
  }
  const known = ["pixelValues", ...(readsText ? ["text", "inputIds", "attentionMask", "positionIds"] : [])];
  checkOptions("run", value, known);
  const { pixelValues, text, ...tokens } = value as ModelInput;
  if (pixelValues === undefined) {
    const { imageToken } = pictures;
    const held = imageToken && tokens.inputIds ? ` for the image tokens (id ${imageToken.id})` : "";
    throw new OptionError(`run: ${architecture} reads ${expected}; got no picture${held}`);
  }
  const patches = cutPatches(pixelValues, grid, architecture);
  if (!readsText) return picturesOnly(patches);
  if ((text === undefined) === (tokens.inputIds === undefined)) {
    throw new OptionError(`run: expected either text or inputIds, got ${text === undefined ? "none" : "both"}`);
  }
  const { batch, texts } = prepare(
    text === undefined ? tokens : idsOf(text, blueprint, tokenizer),
    blueprint,
    tokenizer,
  );
  checkPlaces(batch, patches, blueprint);
  return { batch: { ...batch, patches }, texts: typeof text === "string" ? [text] : (text ?? texts) };
}
