import type { ModelInput } from "../../models/index.js";
import { OptionError } from "../../tensor/index.js";

/** One prompt of a list, which runs as often as one likes beside itself. */
export interface Prompt {
  /** Equal for equal prompts. */
  readonly key: string;
  readonly times: (count: number) => readonly string[] | ModelInput;
}

/**
 * A list of prompts one by one, so that none depends on what it is listed with.
 *
 * Throws   OptionError on an empty list
 */
export function promptsOf(place: string, inputs: string | readonly string[] | ModelInput): readonly Prompt[] {
  const texts = typeof inputs === "string" ? [inputs] : inputs;
  if (isTexts(texts)) {
    if (texts.length === 0) throw new OptionError(`${place}: expected at least one prompt, got an empty list`);
    return texts.map((text) => ({ key: JSON.stringify(text), times: (count) => new Array<string>(count).fill(text) }));
  }
  const { inputIds } = texts;
  if (!Array.isArray(inputIds) || inputIds.length === 0) {
    throw new OptionError(`${place}: expected at least one prompt, got an empty list`);
  }
  return inputIds.map((_, prompt) => {
    const own = Object.entries(texts).map(
      ([name, rows]) => [name, (rows as NonNullable<ModelInput["inputIds"]>)[prompt]] as const,
    );
    return {
      key: JSON.stringify(own.map(([name, row]) => [name, Array.from(row, String)])),
      times: (count) => Object.fromEntries(own.map(([name, row]) => [name, new Array(count).fill(row)])),
    };
  });
}

function isTexts(inputs: readonly string[] | ModelInput): inputs is readonly string[] {
  return Array.isArray(inputs);
}
