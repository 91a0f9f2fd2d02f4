import {
  interventions,
  maskAttention,
  tasks,
  Tensor,
  visionTransformer,
  type HeadScores,
} from "../../../kernel/lib/index.js";
import { law, type Law } from "./law.js";

const task = tasks.shapes({ size: 16 });
/** 16 patches of 4 × 4 pixels after the class token. */
const tokens = 17;
const rowsOf = (indices: readonly number[]) => indices.map((i) => task.row(i));

/** Scores of a small ViT on some pictures; `patches`: where every head looks in place of its own pattern. */
async function scoresOf(
  indices: readonly number[],
  masks?: readonly Uint8Array[],
  looks?: (head: number) => Readonly<Record<number, number>>,
): Promise<HeadScores> {
  const model = await visionTransformer({ layers: 2, heads: 2, width: 8, image: 16, classes: task.classes });
  const row = (head: number): number[] => Array.from({ length: tokens }, (_, key) => looks?.(head)[key] ?? 0);
  const pattern = [0, 1].flatMap((head) => Array.from({ length: tokens }, () => row(head))).flat();
  const edits = looks
    ? [0, 1].map((layer) =>
        interventions.replace({
          at: `blocks.${layer}.attn.pattern`,
          with: new Tensor("float32", [1, 2, tokens, tokens], Float32Array.from(pattern)),
        }),
      )
    : [];
  const rows = rowsOf(indices);
  const run = await model.run({ images: rows.map(({ picture }) => picture) }, { interventions: edits });
  const found = maskAttention(run, masks ?? rows.map(({ mask }) => mask));
  await model.dispose();
  return found;
}

/** Patch 3 whole, and the upper half of patch 5: rows 0 … 3 of columns 12 … 15, rows 4 and 5 of columns 4 … 7. */
const planted = Uint8Array.from({ length: 256 }, (_, pixel) => {
  const [y, x] = [Math.floor(pixel / 16), pixel % 16];
  return (y < 4 && x >= 12) || ((y === 4 || y === 5) && x >= 4 && x < 8) ? 1 : 0;
});

const all = ({ rows }: HeadScores, measure: string): number[] => rows.map(({ values }) => values[measure]);

export const pictureLaws: Readonly<Record<string, Law>> = {
  maskAttention: law<{ readonly indices: readonly number[] }, HeadScores>({
    given: () => ({ indices: [0, 1] }),
    parts: ({ indices }) => indices.map((i) => ({ indices: [i] })),
    list: "mean",
    call: async (_models, { indices }) => scoresOf(indices),
    numbers: (scores) => ["in mask", "chance", "ratio"].flatMap((measure) => all(scores, measure)),
    planted: async () => {
      // Half of the attention is on the class token, which is no patch; head 1 looks at one whole patch.
      const looks = (head: number): Readonly<Record<number, number>> =>
        head === 0 ? { 0: 0.5, 4: 0.25, 6: 0.25 } : { 4: 1 };
      const scores = await scoresOf([0], [planted], looks);
      return {
        found: [...all(scores, "in mask"), ...all(scores, "chance"), ...all(scores, "ratio")],
        truth: [0.75, 1, 0.75, 1, ...new Array<number>(4).fill(1.5 / 16), 8, 32 / 3, 8, 32 / 3],
        within: 1e-15,
      };
    },
    control: async () => all(await scoresOf([0], [planted], () => ({ 0: 0.25, 1: 0.5, 2: 0.25 })), "in mask"),
  }),
};
