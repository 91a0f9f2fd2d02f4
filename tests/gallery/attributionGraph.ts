import { attributionGraph, type AttributionGraphPayload, type NamedEdge } from "attention-lab/views";
import { seeded } from "./headGrid.js";

/** Every edge of a model that does not exist; a few of them matter. */
function syntheticEdges(layers: number, heads: number): readonly NamedEdge[] {
  const random = seeded(31);
  const strong = new Map([
    ["embed 2.2 v", 0.5],
    ["2.2 5.1 k", 0.62],
    ["embed 5.1 q", 0.3],
    ["2.2 5.5 k", 0.21],
    ["5.1 7.3 v", 0.34],
    ["5.1 logits", 0.55],
    ["5.5 logits", 0.2],
    ["7.3 logits", -0.41],
    ["mlp 0 5.1 q", 0.25],
    ["embed mlp 0", 0.33],
  ]);
  const writers: { readonly name: string; readonly depth: number }[] = [{ name: "embed", depth: -1 }];
  const edges: NamedEdge[] = [];
  const into = (to: string, depth: number): void => {
    for (const { name } of writers.filter((writer) => writer.depth < depth)) {
      const score = strong.get(`${name} ${to}`) ?? 0.02 * (random() - 0.5) * random() ** 3;
      edges.push({ from: name, to, score });
    }
  };
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) for (const input of ["q", "k", "v"]) into(`${layer}.${head} ${input}`, 2 * layer); // prettier-ignore
    for (let head = 0; head < heads; head++) writers.push({ name: `${layer}.${head}`, depth: 2 * layer });
    into(`mlp ${layer}`, 2 * layer + 1);
    writers.push({ name: `mlp ${layer}`, depth: 2 * layer + 1 });
  }
  into("logits", 2 * layers);
  return edges;
}

const sentence = "<s> ␣When ␣Mary ␣and ␣John ␣went , ␣John ␣gave ␣it ␣to".split(" ");

/** Who reads whom at which token, in a model that does not exist: a name that stands twice is moved on to the end. */
const placedEdges: readonly NamedEdge[] = [
  ["embed", 4, "0.1 v", 7, 0.21],
  ["embed", 7, "0.1 q", 7, 0.18],
  ["embed", 7, "0.6 v", 7, 0.09],
  ["0.1", 7, "2.3 v", 10, 0.34],
  ["0.6", 7, "2.3 k", 10, 0.11],
  ["embed", 7, "2.5 v", 10, 0.14],
  ["2.3", 10, "4.2 q", 10, 0.42],
  ["2.5", 10, "4.2 q", 10, 0.2],
  ["embed", 2, "4.2 v", 10, 0.31],
  ["embed", 2, "mlp 0", 2, 0.16],
  ["mlp 0", 2, "4.2 v", 10, 0.12],
  ["embed", 4, "4.7 v", 10, -0.19],
  ["4.2", 10, "logits", 10, 0.55],
  ["4.7", 10, "logits", 10, -0.22],
  ["mlp 5", 10, "logits", 10, 0.08],
  ["4.2", 10, "mlp 5", 10, 0.07],
].map(([from, fromPosition, to, toPosition, score]) => ({ from, fromPosition, to, toPosition, score }) as NamedEdge);

/** Gallery examples by name. */
export const attributionGraphExamples: Readonly<Record<string, () => AttributionGraphPayload>> = {
  "shared-keys": () =>
    attributionGraph(
      [
        { from: "embed", to: "0.1 k", score: 0.4 },
        { from: "embed", to: "0.3 q", score: -0.2 },
        { from: "0.3", to: "mlp 1", score: 0.3 },
        { from: "mlp 1", to: "logits", score: 0.25 },
      ],
      { title: "Edges of a model whose heads share keys", sharedKeys: true },
    ),
  "graph-positions": () =>
    attributionGraph(placedEdges, {
      title: "A circuit by layer and position",
      tokens: sentence,
      notes: ["Indirect objects: a synthetic circuit."],
      provenance: { model: "synthetic" },
    }),
  graph: () =>
    attributionGraph(syntheticEdges(8, 8), {
      title: "EAP of a synthetic decoder",
      measure: "change of the logit difference, to first order",
      notes: ["Means over 20 pairs."],
      provenance: { model: "synthetic, seed 31" },
      live: { run: "synthetic", stack: "" },
    }),
};
