import type { Model, ModelInput, PromptMetric } from "../../../kernel/lib/index.js";
import { build } from "../../../kernel/lib/graph/index.js";

/** The tiny GPT-2 as it is, and with planted weights. */
export interface Models {
  readonly plain: Model;
  /** Only head 2 of layer 1 writes into the stream: no other head, no MLP. */
  readonly oneHead: Model;
  /** Every head looks at token 0 and gets nothing from it; the same token is always predicted. */
  readonly resting: Model;
  /** Attention is even. */
  readonly even: Model;
  /** Even attention; tokens 0 and 4 are massive. */
  readonly image: Model;
  /** 0.1 writes direction 3 only, 0.0 nothing; 1.2 asks for direction 3, and takes direction 4 along. */
  readonly aligned: Model;
}

export interface Prompts {
  readonly inputIds: readonly (readonly number[])[];
}

/** What a planted truth is, and what was found of it. */
export interface Planted {
  readonly found: readonly number[];
  readonly truth: readonly number[];
  /** Rounding of float32, where the truth is not found bit for bit; of a truth above 1 a share. */
  readonly within?: number;
}

/** The laws of one analysis: how it is called, and what must come of it. */
export interface LawParts<Given, Result> {
  readonly given: (models: Models) => Given | Promise<Given>;
  readonly call: (models: Models, given: Given) => Promise<Result>;
  /** What a list gives: means over what is listed, or the numbers of each in turn. */
  readonly numbers: (result: Result) => readonly number[];
  readonly list: "mean" | "each" | { readonly none: string };
  /** What is listed, as lists of their own. */
  readonly parts?: (given: Given) => readonly Given[];
  /** What must be as it was; default what is given. */
  readonly watched?: (given: Given) => unknown;
  readonly planted: (models: Models) => Promise<Planted>;
  /** Where nothing is to be found: zeros. */
  readonly control: (models: Models) => Promise<readonly number[]>;
}

export interface Law {
  readonly list: LawParts<never, never>["list"];
  /** Calls it; `split` on each part by itself. */
  readonly open: (models: Models) => Promise<{
    readonly watched: () => unknown;
    readonly once: () => Promise<{ readonly result: unknown; readonly numbers: readonly number[] }>;
    readonly split: () => Promise<readonly (readonly number[])[]>;
  }>;
  readonly planted: (models: Models) => Promise<Planted>;
  readonly control: (models: Models) => Promise<readonly number[]>;
}

export function law<Given, Result>(own: LawParts<Given, Result>): Law {
  const { given, call, numbers, list, parts = () => [], watched = (x) => x, planted, control } = own;
  return {
    list,
    planted,
    control,
    open: async (models) => {
      const input = frozen(await given(models));
      const once = async (each: Given) => {
        const result = await call(models, each);
        return { result, numbers: numbers(result) };
      };
      return {
        watched: () => snapshot(watched(input)),
        once: async () => once(input),
        split: async () => {
          const found: (readonly number[])[] = [];
          for (const each of parts(input)) found.push((await once(each)).numbers);
          return found;
        },
      };
    },
  };
}

/** Two prompts of one length. */
export const two: Prompts = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15]] }; // prettier-ignore
export const one: Prompts = { inputIds: [two.inputIds[0]] };

export const each = ({ inputIds }: Prompts): readonly Prompts[] => inputIds.map((row) => ({ inputIds: [row] }));

/** The same prompts with another third token. */
export const twin = ({ inputIds }: Prompts): Prompts => ({
  inputIds: inputIds.map((row) => row.map((id, t) => (t === 2 ? id + 35 : id))),
});

/** Reads the output of head 2 of layer 1, and nothing else. */
export const readsHead: PromptMetric = {
  name: "head 1.2",
  write: ({ at }) => build.reduceSum(build.slice(at("blocks.1.attn.z"), 1, 2, 3), [1, 2, 3]),
};

/** Reads what no head can change. */
export const readsTokens: PromptMetric = {
  name: "tokens",
  write: ({ at }) => build.reduceSum(at("blocks.0.resid_pre"), [1, 2]),
};

/** Reads the end of the stream. */
export const readsStream: PromptMetric = {
  name: "stream",
  write: ({ at }) => build.reduceSum(at("blocks.2.resid_post"), [1, 2]),
};

/** A metric of one prompt. */
export async function valueOf(model: Model, metric: PromptMetric, prompts: ModelInput): Promise<number> {
  const { value } = await model.compute(prompts, (site) => ({ value: metric.write(site, [0]) }));
  return value.item(0);
}

/** Twelve heads, layer by layer: one with a value, the others with 0. */
export const onlyHead = (value: number, layers = 3): readonly number[] =>
  Array.from({ length: 4 * layers }, (_, i) => (i === 4 * (layers - 2) + 2 ? value : 0));

/** Plain data all the way down: what two looks at the same thing are compared by. */
export function snapshot(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array, String);
  if (Array.isArray(value)) return value.map(snapshot);
  if (typeof value !== "object" || value === null) return typeof value === "function" ? "function" : value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, snapshot(part)]));
}

/** The same value, which throws when it is written into; memory of tensors cannot be frozen and is compared. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
