import { dormancy, sinks, visualSinks } from "../../../kernel/lib/index.js";
import type { Law, Prompts } from "./law.js";
import { each, law } from "./law.js";

const T = 12;
const row = (shift: number): number[] => Array.from({ length: T }, (_, t) => 5 + ((7 * t + shift) % 80));
const prompts: Prompts = { inputIds: [row(0), row(31)] };
const four: Prompts = { inputIds: [row(0), row(31), row(9), row(17)] };
const halves = ({ inputIds }: Prompts): readonly Prompts[] => [
  { inputIds: inputIds.slice(0, 2) },
  { inputIds: inputIds.slice(2) },
];
const picture = { image: [3, 4, 5, 6], tau: 6, layers: [0, 1, 2] } as const;

export const sinkLaws: Readonly<Record<string, Law>> = {
  sinks: law({
    given: () => prompts,
    parts: each,
    list: "mean",
    call: async ({ plain }, given) => sinks(plain, given),
    numbers: (report) => [
      ...report.heads.flatMap(({ layer: _l, head: _h, ...measures }) => Object.values(measures)),
      ...report.residualPeaks.flatMap(({ first, others }) => [first, others]),
      ...[0.1, 0.2, 0.3].flatMap((epsilon) => [0, 1, 2, 3].map((key) => report.rate(key, epsilon))),
    ],
    planted: async ({ resting }) => {
      const report = await sinks(resting, prompts);
      const { massive, headCount, layers } = report;
      const first = massive.filter(({ position, dimension }) => position === 0 && dimension === 5);
      return {
        found: [report.rate(0, 0.999), report.rate(1, 0.001), report.sinkHeads().length, massive.length, first.length],
        // One massive activation in each of four states of each prompt.
        truth: [1, 0, headCount * layers, 8, 8],
      };
    },
    control: async ({ even }) => {
      const report = await sinks(even, prompts);
      return [report.rate(0, 0.3), report.sinkHeads().length, report.massive.length, report.secondary.length];
    },
  }),
  dormancy: law({
    given: () => four,
    parts: halves,
    list: "mean",
    call: async ({ plain }, given) => dormancy(plain, { own: given }, { layers: [1], heads: [0, 2] }),
    numbers: ({ rows }) => rows.flatMap(({ sinkMass, effect, toBos }) => [sinkMass, effect, toBos]),
    planted: async ({ resting }) => {
      const { rows } = await dormancy(resting, { own: prompts }, { layers: [0, 2], heads: [1] });
      return {
        found: rows.flatMap(({ state, effect, toBos }) => [Number(state === "dormant"), effect, toBos]),
        truth: [1, 0, 0, 1, 0, 0],
      };
    },
    control: async ({ even }) => {
      const { rows } = await dormancy(even, { own: prompts }, { layers: [0], heads: [1] });
      return [rows.filter(({ state }) => state === "dormant").length];
    },
  }),
  visualSinks: law({
    given: () => prompts,
    parts: each,
    list: "each",
    // Left out, dimensions would be found over the whole list.
    call: async ({ image }, given) => visualSinks(image, given, { ...picture, dimensions: [5, 7] }),
    numbers: ({ phi }) => phi.flatMap((layers) => layers.flatMap((own) => [...own])),
    planted: async ({ image }) => {
      const { sinks: found } = await visualSinks(image, prompts, picture);
      return {
        found: found.flatMap(({ prompt, layer, position }) => [prompt, layer, position]),
        truth: [0, 1].flatMap((prompt) => [0, 1, 2].flatMap((layer) => [prompt, layer, 4])),
      };
    },
    control: async ({ resting }) => {
      const { sinks: found } = await visualSinks(resting, prompts, picture);
      return [found.length];
    },
  }),
};
