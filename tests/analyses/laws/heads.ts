import type { HeadScores, Model } from "../../../kernel/lib/index.js";
import {
  attentionFlow,
  attentionGradients,
  attentionRollout,
  compositionScores,
  headDistances,
  headImportance,
  headRoles,
  headSpectra,
  interventions,
  patternSimilarity,
  retrievalHeads,
  saliency,
  Tensor,
  tensor,
  type PromptMetric,
  type RetrievalCase,
  type TokenFlow,
} from "../../../kernel/lib/index.js";
import { build } from "../../../kernel/lib/graph/index.js";
import { planted, plantedEverywhere } from "../heads/planted.js";
import { each, law, one, onlyHead, readsHead, readsTokens, two, valueOf, type Law, type Prompts } from "./law.js";

const prompts = { given: () => two, parts: each } as const;
const ofWeights = { given: () => ({}), list: { none: "it reads weights, no prompts" } } as const;

const values = ({ rows, measures }: HeadScores): readonly number[] =>
  rows.flatMap((row) => measures.map((measure) => row.values[measure]));
const column = ({ rows }: HeadScores, measure: string): readonly number[] => rows.map((row) => row.values[measure]);

const back = (_head: number, q: number, k: number): number => (k === Math.max(q - 1, 0) ? 1 : 0);
const self = (_head: number, q: number, k: number): number => (k === q ? 1 : 0);
const everywhere = (of: typeof back) => ({ interventions: plantedEverywhere(3, 4, 5, of) });

const reached = ({ samples }: TokenFlow): readonly number[] =>
  samples.flatMap(({ layers }) => layers.flatMap((rows) => rows.flatMap((row) => [...row])));
/** What reaches positions from tokens other than their own. */
const fromOthers = (flow: TokenFlow): readonly number[] =>
  [0, 1, 2, 3, 4].flatMap((q) => flow.reaching(0, q).filter((_, k) => k !== q));

/** Reads how much head 2 of layer 1 attends to token 0. */
const readsFirst: PromptMetric = {
  name: "pattern 1.2 at key 0",
  write: ({ at, feed }) => {
    const first = feed("first key", tensor([[[[1, 0, 0, 0, 0]]]]), [1, 1, 1, "query"]);
    return build.reduceSum(build.mul(build.slice(at("blocks.1.attn.pattern"), 1, 2, 3), first), [1, 2, 3]);
  },
};

/** Tokens 1 and 3, three times as much of the latter. */
const readsTwoTokens = (weights: readonly number[]): PromptMetric => ({
  name: `tokens by ${weights.join()}`,
  write: ({ at, feed }) =>
    build.reduceSum(
      build.mul(at("blocks.0.resid_pre"), feed("weights", tensor([weights.map((x) => [x])]), [1, "query", 1])),
      [1, 2],
    ),
});

/** Outputs of the heads of a layer: 5 at head 2, 1 elsewhere; or all alike. */
const outputs = (layer: number, apart: number) =>
  interventions.replace({
    at: `blocks.${layer}.attn.z`,
    with: new Tensor("float32", [1, 4, 5, 12], new Float32Array(240).map((_, i) => (Math.floor(i / 60) === 2 ? apart : 1))),
  }); // prettier-ignore

const period = 6;
const repeated: Prompts = { inputIds: [[3, 9, 4, 17, 8, 5, 3, 9, 4, 17, 8, 5], [2, 7, 12, 31, 6, 1, 2, 7, 12, 31, 6, 1]] }; // prettier-ignore
/** Head 0 looks one back, 1 at the copy, 2 behind the copy, 3 at itself; where there is no such key, at key 0. */
const perfect = (head: number, q: number, k: number): number => {
  const offset = [1, period, period - 1, 0][head];
  return k === (q >= offset ? q - offset : 0) ? 1 : 0;
};
const diagonals = ["previous diagonal", "duplicate diagonal", "induction diagonal"] as const;

/** The token that a model always predicts. */
async function alwaysWritten(model: Model): Promise<number> {
  const row = (await model.run(one, { patterns: false })).logits.slice(0, 4).numbers();
  return row.indexOf(Math.max(...row));
}

export const headLaws: Readonly<Record<string, Law>> = {
  attentionRollout: law({
    ...prompts,
    list: "each",
    call: async ({ plain }, given) => attentionRollout(plain, given),
    numbers: reached,
    planted: async ({ plain }) => {
      const found = await attentionRollout(plain, one, everywhere(back));
      // Half stays, half moves one back: binomial over three layers.
      return { found: found.reaching(0, -1), truth: [0, 1 / 8, 3 / 8, 3 / 8, 1 / 8] };
    },
    control: async ({ plain }) => fromOthers(await attentionRollout(plain, one, everywhere(self))),
  }),
  attentionFlow: law({
    ...prompts,
    list: "each",
    call: async ({ plain }, given) => attentionFlow(plain, given),
    numbers: reached,
    planted: async ({ plain }) => {
      const found = await attentionFlow(plain, one, everywhere(back));
      return { found: found.reaching(0, -1), truth: [0, 1 / 6, 1 / 3, 1 / 3, 1 / 6], within: 1e-15 };
    },
    control: async ({ plain }) => fromOthers(await attentionFlow(plain, one, everywhere(self))),
  }),
  attentionGradients: law({
    ...prompts,
    list: "mean",
    call: async ({ plain }, given) => attentionGradients(plain, given),
    numbers: values,
    planted: async ({ plain }) => {
      const found = await attentionGradients(plain, one, { metric: readsFirst });
      const truth = await valueOf(plain, readsFirst, one);
      return {
        found: [...["size", "positive", "total"].map((name) => found.at(1, 2).values[name]), found.at(1, 2).values["on first"], ...column(found, "size").slice(4)],
        truth: [truth, truth, truth, 1, ...onlyHead(truth, 3).slice(4)],
        within: 1e-6,
      }; // prettier-ignore
    },
    control: async ({ plain }) => column(await attentionGradients(plain, one, { metric: readsTokens }), "size"),
  }),
  headDistances: law({
    ...prompts,
    list: "mean",
    call: async ({ plain }, given) => headDistances(plain, given),
    numbers: values,
    planted: async ({ plain }) => {
      const found = await headDistances(plain, one, { interventions: [outputs(1, 5)] });
      // The centre is 2, so that head 2 is 3·√12 away and the others √12.
      const root = Math.sqrt(12);
      return { found: column(found, "distance").slice(4, 8), truth: [root, root, 3 * root, root], within: 1e-15 };
    },
    control: async ({ plain }) =>
      column(await headDistances(plain, one, { interventions: [0, 1, 2].map((l) => outputs(l, 1)) }), "distance"),
  }),
  headImportance: law({
    ...prompts,
    list: "mean",
    call: async ({ plain }, given) => headImportance(plain, given, { exact: true }),
    // The other two are of the mean over prompts.
    numbers: (found) => [...column(found, "gradient"), ...column(found, "exact")],
    planted: async ({ plain }) => {
      const found = await headImportance(plain, one, { metric: readsHead });
      const truth = onlyHead(Math.abs(await valueOf(plain, readsHead, one))).slice(4);
      return {
        found: [...column(found, "gradient").slice(4), ...column(found, "exact").slice(4)],
        truth: [...truth, ...truth],
        within: 1e-6,
      };
    },
    control: async ({ plain }) => {
      const found = await headImportance(plain, one, { metric: readsTokens });
      return [...column(found, "gradient"), ...column(found, "exact")];
    },
  }),
  headRoles: law({
    given: () => repeated,
    parts: each,
    list: "mean",
    call: async ({ plain }, given) => headRoles(plain, given, { period }),
    numbers: values,
    planted: async ({ plain }) => {
      const options = { period, interventions: [planted(1, 4, 12, perfect)] };
      const found = await headRoles(plain, each(repeated)[0], options);
      const own = diagonals.map((measure, head) => found.at(1, head).values[measure]);
      return { found: [...own, found.at(1, 2).values["induction by occurrence"]], truth: [1, 1, 1, 1] };
    },
    control: async ({ plain }) => {
      const found = await headRoles(plain, each(repeated)[0], {
        period,
        interventions: plantedEverywhere(3, 4, 12, self),
      });
      const measures = [...diagonals, "previous", "duplicate", "induction", "induction by occurrence"];
      return measures.flatMap((measure) => column(found, measure));
    },
  }),
  patternSimilarity: law({
    ...prompts,
    list: "mean",
    call: async ({ plain }, given) => patternSimilarity(plain, given),
    numbers: ({ layers, heads }) => [...layers.flat(), ...heads.flat()],
    planted: async ({ plain }) => {
      const found = await patternSimilarity(plain, one, everywhere(back));
      return { found: [...found.layers.flat(), ...found.heads.flat()], truth: new Array<number>(9 + 144).fill(1), within: 1e-15 }; // prettier-ignore
    },
    control: async ({ plain }) => {
      const apart = (head: number, _q: number, k: number): number => (k === head ? 1 : 0);
      const found = await patternSimilarity(plain, one, everywhere(apart));
      return [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].flatMap((b) => (a === b ? [] : [found.of({ layer: 0, head: a }, { layer: 2, head: b })]))); // prettier-ignore
    },
  }),
  retrievalHeads: law({
    given: async ({ resting }): Promise<readonly RetrievalCase[]> => {
      const prompt = [await alwaysWritten(resting), 5, 6, 7];
      return [[0, 1] as const, [1, 3] as const].map((needle) => ({ prompt, needle }));
    },
    parts: (cases) => cases.map((own) => [own]),
    list: "mean",
    call: async ({ resting }, cases) => retrievalHeads(resting, cases, { maxNewTokens: 3, recall: -1 }),
    numbers: values,
    planted: async ({ resting }) => {
      const id = await alwaysWritten(resting);
      const cases: RetrievalCase[] = [{ prompt: [id, 5, 6, 7], needle: [0, 1] }];
      const found = await retrievalHeads(resting, cases, { maxNewTokens: 4 });
      // Written four times, and each time every head looks at the needle of one token.
      return { found: values(found), truth: new Array<number>(12).fill(4) };
    },
    control: async ({ resting }) => {
      const cases: RetrievalCase[] = [{ prompt: [await alwaysWritten(resting), 5, 6, 7], needle: [1, 3] }];
      return values(await retrievalHeads(resting, cases, { maxNewTokens: 4, recall: -1 }));
    },
  }),
  saliency: law({
    ...prompts,
    list: "mean",
    call: async ({ plain }, given) => saliency(plain, given),
    numbers: ({ agreement }) => values(agreement),
    planted: async ({ plain }) => {
      const attends = (_head: number, _q: number, k: number): number => [0, 0.25, 0, 0.75, 0][k];
      const { tokens, agreement } = await saliency(plain, one, {
        metric: readsTwoTokens([0, 1, 0, 3, 0]),
        interventions: [planted(1, 4, 5, attends)],
      });
      const root = Math.sqrt(48);
      return {
        found: [...tokens[0].map((each) => each.saliency), agreement.at(1, 0).values["correlation"]],
        truth: [0, root, 0, 3 * root, 0, 1],
        within: 1e-6,
      };
    },
    control: async ({ plain }) => {
      const { tokens } = await saliency(plain, one, { metric: readsTwoTokens([0, 0, 0, 0, 0]) });
      return tokens[0].map((each) => each.saliency);
    },
  }),
  compositionScores: law({
    ...ofWeights,
    call: async ({ plain }) => compositionScores(plain),
    numbers: ({ rows }) => rows.map(({ score }) => score),
    planted: async ({ aligned }) => {
      const scores = await compositionScores(aligned);
      const ends = [{ layer: 0, head: 1 }, { layer: 1, head: 2 }] as const; // prettier-ignore
      return { found: [scores.at("Q", ...ends), scores.at("V", ...ends)], truth: [1, 0], within: 1e-6 };
    },
    control: async ({ aligned }) =>
      (await compositionScores(aligned)).rows
        .filter(({ fromLayer, fromHead }) => fromLayer === 0 && fromHead === 0)
        .map(({ score }) => score),
  }),
  headSpectra: law({
    ...ofWeights,
    call: async ({ plain }) => headSpectra(plain),
    numbers: ({ scores }) => values(scores),
    planted: async ({ aligned }) => {
      const { scores, at } = await headSpectra(aligned, { layers: [0] });
      const { values: sizes } = at(0, 1);
      const { "first share": share, "effective rank": rank } = scores.at(0, 1).values;
      return {
        found: [share, rank, ...sizes.slice(1)],
        truth: [1, 1, ...new Array<number>(11).fill(0)],
        within: 1e-12,
      };
    },
    control: async ({ aligned }) => (await headSpectra(aligned, { layers: [0] })).at(0, 0).values,
  }),
};
