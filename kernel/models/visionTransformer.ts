import { checkOptions, knownNames, OptionError, random, sizeOf, Tensor, wholeNumber } from "../tensor/index.js";
import { vit } from "./families/vit.js";
import type { TensorSpec } from "./family.js";
import { unruled } from "./generationRules.js";
import { activations } from "./layers.js";
import { Model } from "./model.js";
import type { PictureHost } from "./pictures/reader.js";
import { readerFrom } from "./pictures/reader.js";
import type { Workshop } from "./transformer/make.js";
import { held } from "./transformer/make.js";

/** A vision transformer to make. */
export interface VisionTransformerOptions {
  readonly layers: number;
  readonly heads: number;
  /** Size of the residual stream. */
  readonly width: number;
  /** What it tells apart. */
  readonly classes: readonly string[];
  /** Height and width of its pictures, in pixels; default 32. */
  readonly image?: number;
  /** Height and width of a patch, in pixels; default 4. */
  readonly patch?: number;
  /** Hidden units of each MLP; default 4 · width. */
  readonly mlpWidth?: number;
  /** Default `"gelu"`. */
  readonly activation?: string;
  /** Of the initial weights; default 0. */
  readonly seed?: number;
  /** Default `"visionTransformer"`. */
  readonly name?: string;
}

/** What a model of pictures needs of the world. */
export interface PictureWorkshop extends Workshop, PictureHost {}

const place = "visionTransformer";
const known = ["layers", "heads", "width", "classes", "image", "patch", "mlpWidth", "activation", "seed", "name"];

/** What config.json says, in the words of transformers. */
function configOf(options: VisionTransformerOptions): Readonly<Record<string, unknown>> {
  checkOptions(place, options, known);
  const whole = (name: keyof VisionTransformerOptions, fallback?: number): number =>
    wholeNumber(place, name, options[name] ?? fallback);
  const { classes, activation = "gelu" } = options;
  const [width, heads, image, patch] = [whole("width"), whole("heads"), whole("image", 32), whole("patch", 4)];
  if (!Array.isArray(classes) || classes.length < 2)
    throw new OptionError(`${place}: expected at least two classes, got ${JSON.stringify(classes)}`);
  if (width % heads !== 0)
    throw new OptionError(`${place}: width must be a multiple of heads, got ${width} and ${heads}`);
  if (image % patch !== 0)
    throw new OptionError(`${place}: image must be a multiple of patch, got ${image} and ${patch}`);
  if (!Object.hasOwn(activations, activation))
    throw new OptionError(`${place}: unknown activation "${activation}"${knownNames(activation, Object.keys(activations))}`); // prettier-ignore
  return {
    architectures: ["ViTForImageClassification"],
    model_type: "vit",
    ...{ num_hidden_layers: whole("layers"), num_attention_heads: heads, hidden_size: width },
    ...{ intermediate_size: whole("mlpWidth", 4 * width), hidden_act: activation, layer_norm_eps: 1e-12 },
    ...{ image_size: image, patch_size: patch, num_channels: 3, qkv_bias: true },
    id2label: Object.fromEntries(classes.map((name, i) => [i, name])),
    label2id: Object.fromEntries(classes.map((name, i) => [name, i])),
  };
}

/**
 * Weights to begin with, a function of the seed: matrices normal with standard deviation 1/√inputs, those that write to the
 * stream divided by √(2 · layers) (GPT-2 §2.3), norms 1, biases 0, class token and positions 0.02.
 */
function initialWeights(tensors: readonly TensorSpec[], layers: number, seed: number): Map<string, Tensor<"float32">> {
  const stream = random(seed).fork("weights");
  const startOf = ({ name, shape }: TensorSpec): Tensor<"float32"> => {
    const constant = name.endsWith(".bias") ? 0 : /layernorm(_before|_after)?\.weight$/.test(name) ? 1 : undefined;
    if (constant !== undefined)
      return new Tensor("float32", shape, new Float32Array(sizeOf(shape)).fill(constant)); // prettier-ignore
    const inputs = sizeOf(shape.slice(1));
    const written = /^encoder\.layer\.\d+\.(attention\.)?output\.dense/.test(name) ? 2 * layers : 1;
    const deviation = /cls_token|position_embeddings/.test(name) ? 0.02 : 1 / Math.sqrt(inputs * written);
    return stream.fork(name).normal(shape, { deviation }) as Tensor<"float32">;
  };
  return new Map(tensors.map((spec) => [spec.name, startOf(spec)]));
}

/** A model of these weights; see `visionTransformer` of the facade. */
export function makeVisionTransformer(workshop: PictureWorkshop, options: VisionTransformerOptions): Model {
  const config = configOf(options);
  const { seed = 0, name = place, image = 32 } = options;
  const blueprint = vit.open("ViTForImageClassification", config);
  const size = { height: image, width: image };
  const preprocessor = { image_processor_type: "ViTImageProcessor", size, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }; // prettier-ignore
  const { engine, interruptSignal, versions } = workshop;
  return new Model({
    ...{ name, blueprint, engine, interruptSignal },
    weights: held(initialWeights(blueprint.tensors, blueprint.layers, wholeNumber(place, "seed", seed, 0))),
    tokenizer: undefined,
    readPictures: readerFrom(workshop, preprocessor),
    generation: unruled([]),
    provenance: async () =>
      Promise.resolve({ model: name, seed, device: engine.device, dtype: engine.dtype, ...versions() }),
    texts: async () =>
      Promise.resolve(
        Object.fromEntries(
          Object.entries({ config, preprocessor_config: preprocessor }).map(([file, json]) => [
            `${file}.json`,
            `${JSON.stringify(json, undefined, 2)}\n`,
          ]),
        ),
      ),
  });
}
