import type { Model } from "../../kernel/lib/index.js";
import { interventions, load, tasks } from "../../kernel/lib/index.js";
import { referencePatterns } from "../minilm.js";

interface Answer {
  readonly text: RegExp;
  readonly values: readonly number[];
}

const mean = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;
const rowsOf = (count: number): readonly (readonly number[])[] =>
  Array.from({ length: count }, (_, i) => tasks.bigramBackcopy({ length: 64 }).row(i, "test").ids);

async function withDemo<T>(work: (model: Model) => Promise<T>): Promise<T> {
  const model = await load("demo-sink");
  try {
    return await work(model);
  } finally {
    await model.dispose();
  }
}

/** What the notebooks on heads, sinks, ablations and patches end in, from loops over patterns and runs. */
export const scienceAnswers: Readonly<Record<string, () => Answer | Promise<Answer>>> = {
  "02-heads.ipynb": () => {
    const patterns = referencePatterns();
    const back = (layer: number, head: number): number =>
      mean(
        patterns.map(({ tokens, at }) =>
          mean(Array.from({ length: tokens - 1 }, (_, q) => at(layer, head, q + 1, q))),
        ),
      );
    const [{ layers, heads }] = patterns;
    const all = Array.from({ length: layers * heads }, (_, i) => back(Math.floor(i / heads), i % heads));
    const best = all.indexOf(Math.max(...all));
    const name = `L${Math.floor(best / heads)}\\.H${best % heads}`;
    return { text: new RegExp(`^${name} pays (\\d\\.\\d{4}) of its attention to the token before$`), values: [all[best]] };
  },
  "03-sinks.ipynb": async () =>
    withDemo(async (model) => {
      const received = await Promise.all(
        rowsOf(6).map(async (ids) => {
          const pattern = (await model.run({ inputIds: [ids] })).at("blocks.0.attn.pattern");
          return mean(ids.map((_, q) => pattern.item(0, 0, q, 0)));
        }),
      );
      return { text: /^<s> receives (\d\.\d{4}) of the attention$/, values: [mean(received)] };
    }),
  "04-ablations.ipynb": async () =>
    withDemo(async (model) => {
      const rise = async (edit: ReturnType<typeof interventions.zeroZ>): Promise<number> =>
        mean(
          await Promise.all(
            rowsOf(8).map(async (ids) => {
              const clean = await model.run({ inputIds: [ids] }, { patterns: false });
              return (await model.run({ inputIds: [ids] }, { patterns: false, interventions: [edit] })).loss! - clean.loss!;
            }),
          ),
        );
      return {
        text: /^without its head the loss rises by (\d\.\d{4}) nats, with all attention on <s> by (\d\.\d{4})$/,
        values: [await rise(interventions.zeroZ()), await rise(interventions.bosPattern())],
      };
    }),
  "05-patching.ipynb": async () =>
    withDemo(async (model) => {
      const at = 12;
      const task = tasks.bigramBackcopy({ length: 64 });
      const rows = Array.from({ length: 400 }, (_, i) => task.row(i, "test"))
        .filter(({ kinds, ids }) => kinds![at] === 0 && ids[at] !== ids[at - 1])
        .slice(0, 6);
      const shares = rows.map(async ({ ids }) => {
        const letter = ids[at - 1];
        const other = [1, 2, 3].find((id) => id !== letter && id !== ids[at])!;
        const clean = ids.slice(0, at + 1);
        const corrupted = clean.with(at - 1, other);
        const z = "blocks.0.attn.z";
        const difference = async (input: readonly number[], head?: Awaited<ReturnType<typeof model.run>>) => {
          const edits = head ? [interventions.replace({ at: z, with: head.at(z) })] : [];
          const run = await model.run({ inputIds: [input] }, { capture: [z], interventions: edits });
          return { run, value: run.logits.item(0, at, letter) - run.logits.item(0, at, other) };
        };
        const [a, b] = [await difference(clean), await difference(corrupted)];
        return ((await difference(corrupted, a.run)).value - b.value) / (a.value - b.value);
      });
      return {
        text: /^the letter before the trigger recovers (-?\d\.\d{4}), the head (-?\d\.\d{4})$/,
        values: [1, mean(await Promise.all(shares))],
      };
    }),
};
