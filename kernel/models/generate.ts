import type { RunSettings } from "../graph/index.js";
import { checkOptions, OptionError, Tensor, wholeNumber } from "../tensor/index.js";
import type { Provenance } from "../views/index.js";
import type { Batch, Blueprint } from "./family.js";
import { Generation } from "./generation.js";
import type { GenerationConfig } from "./generationRules.js";
import { ruled } from "./generationRules.js";
import { cachedReader } from "./keyValueCache.js";
import type { GenerateOptions } from "./options.js";
import { pairReader } from "./pairReader.js";
import { picturesReader } from "./picturesReader.js";
import { checkRoom, realIds } from "./prompts.js";
import type { Pass } from "./reader.js";
import { rereader } from "./reader.js";
import { chooserOf } from "./sampling.js";
import { writesText } from "./stacks.js";

/** What writing needs of a model. */
export interface Writer {
  /** The model's name. */
  readonly title: string;
  readonly blueprint: Blueprint;
  readonly generation: GenerationConfig;
  /** Whether the model predicts next tokens. */
  readonly predicts: boolean;
  readonly prepare: () => Promise<Batch>;
  readonly label: (id: number) => string;
  readonly decode: (ids: readonly number[]) => string | undefined;
  readonly provenance: () => Promise<Provenance>;
  /** A pass over whole texts, and one over new tokens alone. */
  readonly whole: (settings: RunSettings) => Pass;
  readonly continued: (settings: RunSettings) => Pass;
  /** A pass over the encoder alone, and one over the decoder alone. */
  readonly encoded: (settings: RunSettings) => Pass;
  readonly decoded: (settings: RunSettings) => Pass;
}

/** Rows of one width as a tensor. */
function stacked(rows: readonly Float32Array[], width: number): Tensor {
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, i) => data.set(row, i * width));
  return new Tensor("float32", [rows.length, width], data);
}

/** How tokens were chosen, for the provenance. */
function chosenBy({ temperature = 0, topK, seed }: GenerateOptions): Provenance {
  return {
    temperature,
    ...(topK === undefined ? {} : { topK }),
    ...(seed === undefined ? {} : { seed }),
  };
}

/** See `Model.generate`. */
export async function generate(writer: Writer, options: GenerateOptions): Promise<Generation> {
  checkOptions("generate", options, [
    ...["maxNewTokens", "onToken", "patterns", "cache", "rules", "signal"],
    ...["temperature", "topK", "seed"],
  ]);
  const { maxNewTokens, onToken, patterns: withPatterns = false, cache = true, rules = true, signal } = options;
  const { blueprint, generation, label } = writer;
  const { endIds } = generation;
  wholeNumber("generate", "maxNewTokens", maxNewTokens);
  if (!writesText(blueprint) || !writer.predicts) {
    throw new OptionError(`generate: ${blueprint.architecture} does not predict next tokens`);
  }
  const choose = chooserOf(options);
  const batch = await writer.prepare();
  if (batch.positionIds) throw new OptionError("generate: positions are counted here; leave positionIds out");
  const { decoder } = batch;
  const prompts = realIds(decoder ? { ...decoder, size: batch.size } : batch);
  checkRoom(prompts, maxNewTokens, { ...blueprint, positions: (blueprint.decoder ?? blueprint).positions });
  const settings: RunSettings = signal ? { signal } : {};
  const read = decoder
    ? pairReader(
        blueprint,
        batch,
        writer.encoded(settings),
        writer.decoded(settings),
        writer.whole(settings),
        withPatterns,
      )
    : blueprint.pictures
      ? picturesReader(blueprint, batch, writer.encoded(settings), writer.continued(settings), { withPatterns, cache })
      : cache && blueprint.continues !== false
        ? cachedReader(blueprint, writer.continued(settings), withPatterns)
        : rereader(blueprint, writer.whole(settings), withPatterns);

  const ids: number[][] = prompts.map(() => []);
  const logits: Float32Array[][] = prompts.map(() => []);
  const patterns: Tensor[][] = prompts.map(() => []);
  for (let step = 0; step < maxNewTokens; step++) {
    const open = [...prompts.keys()].filter((b) => !endIds.includes(ids[b].at(-1) ?? -1));
    if (open.length === 0) break;
    const readings = await read(open.map((prompt) => ({ prompt, ids: [...prompts[prompt], ...ids[prompt]] })));
    open.forEach((prompt, i) => {
      const { logits: row, pattern } = readings[i];
      const written = [...prompts[prompt], ...ids[prompt]];
      const text = { ids: written, given: prompts[prompt].length, isLast: step === maxNewTokens - 1 };
      const id = choose(rules ? ruled(row, text, generation) : row, prompt, step);
      ids[prompt].push(id);
      logits[prompt].push(row);
      if (pattern) patterns[prompt].push(pattern);
      onToken?.({ prompt, step, id, label: label(id) });
    });
  }
  return new Generation({
    ids,
    tokens: ids.map((row) => row.map(label)),
    texts: ids.map(writer.decode),
    prompts: prompts.map((row) => row.map(label)),
    ...{ title: writer.title, label },
    logits: logits.map((rows) => stacked(rows, blueprint.vocabulary)),
    patterns,
    provenance: async () => ({ ...(await writer.provenance()), ...chosenBy(options) }),
  });
}
