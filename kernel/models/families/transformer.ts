import type { Family } from "../family.js";
import { transformerBlueprint } from "../transformer/blueprint.js";
import { architecture, readTransformer } from "../transformer/config.js";

/** Transformers made here of mechanisms: see `transformer` of the facade. */
export const transformer: Family = {
  name: "transformer",
  architectures: [architecture],
  open: (_, config) => transformerBlueprint(readTransformer(config)),
};
