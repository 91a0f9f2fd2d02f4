import type { PatchingMap } from "../../../kernel/lib/index.js";
import {
  ablate,
  activationPatching,
  attributionPatching,
  compareHeads,
  edgeAttribution,
  headEffect,
  interventions,
  logitAttribution,
  logitDifference,
  logitLens,
  pathPatching,
} from "../../../kernel/lib/index.js";
import { planted } from "../heads/planted.js";
import type { Law, Models } from "./law.js";
import { each, law, one, onlyHead, readsHead, readsStream, readsTokens, twin, two, valueOf } from "./law.js";

const prompts = { given: () => two, parts: each, list: "mean" } as const;
const metric = logitDifference(7, 9);
/** No token is expected more than itself. */
const nothing = logitDifference(7, 7);

const shares = ({ recovery, effects }: PatchingMap): readonly number[] => [
  ...recovery.flat(),
  ...effects[0].flatMap((row, l) =>
    row.map((_, h) => effects.reduce((sum, pair) => sum + pair[l][h], 0) / effects.length),
  ),
];

/** Whatever a record of the effect of one head holds in numbers. */
const { given: runOf, seen } = {
  given: async ({ plain }: Models) => plain.run(two),
  seen: (run: Awaited<ReturnType<Models["plain"]["run"]>>) => [run.logits, run.at("blocks.2.attn.pattern")],
};

export const effectLaws: Readonly<Record<string, Law>> = {
  ablate: law({
    ...prompts,
    call: async ({ plain }, given) => ablate(plain, given, { metric, modes: ["zero", "bos"], randomHeads: 1 }),
    numbers: ({ rows }) => rows.map(({ effect }) => effect),
    planted: async ({ plain }) => {
      const { rows, clean } = await ablate(plain, one, { metric: readsHead, layers: [1, 2], randomHeads: 0 });
      return { found: rows.map(({ effect }) => effect), truth: onlyHead(-clean[0]).slice(4), within: 1e-6 };
    },
    control: async ({ plain }) =>
      (await ablate(plain, one, { metric: readsTokens, randomHeads: 0 })).rows.map(({ effect }) => effect),
  }),
  headEffect: law({
    given: runOf,
    watched: seen,
    list: { none: "it compares one prompt of a run" },
    call: async (_models, run) => headEffect(run, { layer: 1, head: 2, prompt: 1 }),
    numbers: ({ loss, prediction, moved }) => [...loss!, prediction!.divergenceNats, ...moved],
    planted: async ({ oneHead }) => {
      const run = await oneHead.run(one);
      // Without the one head that writes, all heads might as well be out.
      const without = await oneHead.run(one, { interventions: [interventions.zeroZ()] });
      const { loss } = await headEffect(run, { layer: 1, head: 2 });
      return { found: loss!, truth: [run.loss!, without.loss!], within: 1e-6 };
    },
    control: async ({ oneHead }) => {
      const run = await oneHead.run(one);
      const { loss, prediction, moved } = await headEffect(run, { layer: 1, head: 1 });
      return [loss![1] - loss![0], prediction!.divergenceNats, ...moved];
    },
  }),
  compareHeads: law({
    given: runOf,
    watched: seen,
    list: { none: "it compares two heads on one text" },
    call: async (_models, run) => compareHeads({ run, layer: 1, head: 2 }, { run, layer: 2, head: 0 }),
    numbers: ({ totalVariation, jensenShannonNats, perQuery }) => [totalVariation, jensenShannonNats, ...perQuery],
    planted: async ({ plain }) => {
      // Head 0 looks at token 0, the others at themselves: query 0 is alike, the other four share nothing.
      const looks = (head: number, q: number, k: number): number => (k === (head === 0 ? 0 : q) ? 1 : 0);
      const run = await plain.run(one, { interventions: [planted(1, 4, 5, looks)] });
      const pair = await compareHeads({ run, layer: 1, head: 0 }, { run, layer: 1, head: 3 });
      const truth = [4 / 5, (4 / 5) * Math.LN2, 0, 1, 1, 1, 1];
      return { found: [pair.totalVariation, pair.jensenShannonNats, ...pair.perQuery], truth, within: 1e-6 };
    },
    control: async ({ plain }) => {
      const run = await plain.run(one);
      const pair = await compareHeads({ run, layer: 1, head: 2 }, { run, layer: 1, head: 2 });
      return [pair.totalVariation, pair.jensenShannonNats, ...pair.perQuery];
    },
  }),
  logitAttribution: law({
    ...prompts,
    call: async ({ plain }, given) => logitAttribution(plain, given, { metric }),
    numbers: ({ heads, mlps, embed, normBias }) => [...heads.flat(), ...mlps, embed, normBias],
    planted: async ({ oneHead }) => {
      const found = await logitAttribution(oneHead, one, { metric });
      const rest = [...found.mlps, ...found.attentionBias];
      return {
        found: [...found.heads.flat(), ...rest],
        truth: [...onlyHead(found.metric - found.embed - found.normBias), ...rest.map(() => 0)],
        within: 1e-5,
      };
    },
    control: async ({ plain }) => {
      const { heads, mlps, embed, normBias } = await logitAttribution(plain, one, { metric: nothing });
      return [...heads.flat(), ...mlps, embed, normBias];
    },
  }),
  logitLens: law({
    ...prompts,
    call: async ({ plain }, given) => logitLens(plain, given, { metric }),
    numbers: (found) => found.metric,
    planted: async ({ oneHead }) => {
      const difference = async (head: boolean): Promise<number> => {
        const edits = head ? [] : [interventions.zeroZ()];
        const { logits } = await oneHead.run(one, { interventions: edits, patterns: false });
        return logits.item(0, 4, 7) - logits.item(0, 4, 9);
      };
      const [before, after] = [await difference(false), await difference(true)];
      const found = await logitLens(oneHead, one, { metric });
      return { found: found.metric, truth: [before, before, after, after], within: 1e-5 };
    },
    control: async ({ plain }) => (await logitLens(plain, one, { metric: nothing })).metric,
  }),
  activationPatching: law({
    ...prompts,
    call: async ({ plain }, given) => activationPatching(plain, given, twin(given), { metric, over: "heads" }),
    numbers: shares,
    planted: async ({ plain }) => {
      const options = { metric: readsHead, over: "heads", layers: [1, 2] } as const;
      const { recovery } = await activationPatching(plain, one, twin(one), options);
      return { found: recovery.flat(), truth: onlyHead(1).slice(4), within: 1e-5 };
    },
    control: async ({ plain }) => {
      const { effects } = await activationPatching(plain, one, twin(one), { metric: readsTokens, over: "heads" });
      return effects.flat(2);
    },
  }),
  attributionPatching: law({
    ...prompts,
    call: async ({ plain }, given) => attributionPatching(plain, given, twin(given), { metric, checkedLayers: [1] }),
    numbers: ({ effects }) => effects.flat(),
    planted: async ({ plain }) => {
      const options = { metric: readsHead, checkedLayers: [1] };
      const { effects, correlation } = await attributionPatching(plain, one, twin(one), options);
      const change = (await valueOf(plain, readsHead, one)) - (await valueOf(plain, readsHead, twin(one)));
      return {
        found: [...effects.flat().slice(4), correlation],
        truth: [...onlyHead(change).slice(4), 1],
        within: 1e-5,
      };
    },
    control: async ({ plain }) =>
      (await attributionPatching(plain, one, one, { metric, checkedLayers: [] })).effects.flat(),
  }),
  pathPatching: law({
    ...prompts,
    call: async ({ plain }, given) =>
      pathPatching(plain, given, twin(given), { metric, receivers: [{ layer: 2, head: 1, input: "v" }] }),
    numbers: shares,
    planted: async ({ plain }) => {
      const { recovery } = await pathPatching(plain, one, twin(one), { metric: readsHead, receivers: "logits" });
      // Head 1.2 is read itself; what comes before it acts through it, and it is held.
      return { found: recovery.flat(), truth: onlyHead(1), within: 1e-5 };
    },
    control: async ({ plain }) => {
      const options = { metric, receivers: [{ layer: 0, head: 0, input: "q" }] } as const;
      return (await pathPatching(plain, one, twin(one), options)).effects.flat(2);
    },
  }),
  edgeAttribution: law({
    ...prompts,
    call: async ({ plain }, given) =>
      edgeAttribution(plain, given, twin(given), { metric, method: "EAP-IG", steps: 2 }),
    numbers: ({ rows }) => rows.map(({ score }) => score),
    planted: async ({ oneHead }) => {
      const scores = await edgeAttribution(oneHead, one, twin(one), { metric: readsStream });
      const silent = scores.rows.filter(({ from }) => from !== "embed" && from !== "1.2");
      const change = (await valueOf(oneHead, readsStream, twin(one))) - (await valueOf(oneHead, readsStream, one));
      return {
        found: [...silent.map(({ score }) => score), scores.at("embed", "logits") + scores.at("1.2", "logits")],
        truth: [...silent.map(() => 0), change],
        within: 1e-5,
      };
    },
    control: async ({ plain }) => (await edgeAttribution(plain, one, one, { metric })).rows.map(({ score }) => score),
  }),
};
