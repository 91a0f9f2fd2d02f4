import { modelDiagram, type DiagramActivation, type DiagramLevel, type ModelDiagramPayload } from "attention-lab/views";

const activation = (path: string, part: string, name: string, ...shape: (number | string)[]): DiagramActivation => ({
  address: [path === "" ? "" : `${path}.*`, part, name].filter(Boolean).join("."),
  ...{ part, name, shape },
});

/** A block of heads and an MLP, with cross attention where a source is named. */
function blocksOf(path: string, layers: number, axis: string, source?: string): DiagramLevel {
  const own = (name: string): DiagramActivation => activation(path, "", name, "batch", axis, 64);
  const head = (part: string, name: string, length: string): DiagramActivation =>
    activation(path, part, name, "batch", 8, length, 8);
  const attention = (part: string, keys: string): readonly DiagramActivation[] => [
    head(part, "q", axis),
    head(part, "k", keys),
    head(part, "v", keys),
    activation(path, part, "pattern", "batch", 8, axis, keys),
    head(part, "z", axis),
  ];
  const cross = source === undefined ? [] : [...attention("cross_attn", source), own("resid_mid_cross")];
  return {
    ...{ path, layers },
    activations: [
      own("resid_pre"),
      ...attention("attn", axis),
      own("resid_mid"),
      ...cross,
      activation(path, "mlp", "pre", "batch", axis, 256),
      activation(path, "mlp", "post", "batch", axis, 256),
      own("resid_post"),
    ],
  };
}

const outside = (...names: readonly (readonly [string, string, number])[]): DiagramLevel => ({
  ...{ path: "", layers: 0 },
  activations: names.map(([name, axis, width]) => activation("", "", name, "batch", axis, width)),
});

/** Gallery examples by name: models that do not exist. */
export const modelDiagramExamples: Readonly<Record<string, () => ModelDiagramPayload>> = {
  "encoder-decoder": () =>
    modelDiagram({
      title: "synthetic (an encoder and a decoder)",
      sizes: ["encoder: 4 layers × 8 heads of 8", "decoder: 4 layers × 8 heads of 8", "cross: 4 layers × 8 heads of 8"],
      levels: [
        outside(["encoder.embed", "source", 64]),
        blocksOf("encoder.blocks", 4, "source"),
        outside(["encoder.ln_final", "source", 64], ["decoder.embed", "target", 64]),
        blocksOf("decoder.blocks", 4, "target", "source"),
        outside(["decoder.ln_final", "target", 64], ["logits", "target", 5000]),
      ],
      notes: [],
    }),
  diagram: () =>
    modelDiagram({
      title: "synthetic (a causal language model)",
      sizes: ["12 layers × 8 heads of 8, width 64, 1024 positions, on cpu"],
      levels: [
        outside(["embed", "query", 64], ["pos_embed", "query", 64]),
        {
          ...blocksOf("blocks", 12, "query"),
          activations: blocksOf("blocks", 12, "query").activations.map((each) =>
            each.part === "mlp" && each.name === "post" ? { ...each, only: [0, 1, 2] } : each,
          ),
        },
        outside(["ln_final", "query", 64], ["logits", "query", 5000]),
      ],
      notes: ["norms folded into the weights"],
    }),
};
