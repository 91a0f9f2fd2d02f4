import { type Check, checksOf } from "./check.js";
import { generationCaps, generationVersion, type GenerationPayload } from "./generationPayload.js";
import { headingCaps, readHeading } from "./heading.js";
import { readHeadGrid } from "./readHeadGrid.js";

const check: Check = checksOf("generation");
const caps = generationCaps;

/**
 * Checks an unknown value as a payload of a written text and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readGeneration(value: unknown): GenerationPayload {
  const payload = readHeading(check, value, "generation", generationVersion);
  const lengths = check
    .list(payload["texts"], "texts", 1, caps.texts)
    .map((text, at) => checkText(text, `texts[${at}]`));
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  if (payload["grid"] === undefined) return value as GenerationPayload;
  const { samples } = readHeadGrid(payload["grid"]);
  check.count(samples.length, "grid.samples", lengths.length, lengths.length);
  samples.forEach(({ queryTokens, keyTokens }, at) => {
    const { prompt, tokens } = lengths[at];
    check.count(queryTokens.length, `grid.samples[${at}].queryTokens`, tokens, tokens);
    check.count(keyTokens.length, `grid.samples[${at}].keyTokens`, prompt + tokens - 1, prompt + tokens - 1);
  });
  return value as GenerationPayload;
}

function checkText(value: unknown, place: string): { readonly prompt: number; readonly tokens: number } {
  const text = check.record(value, place);
  const prompt = check.texts(text["prompt"], `${place}.prompt`, 0, caps.tokens, caps.tokenLength).length;
  const tokens = check.texts(text["tokens"], `${place}.tokens`, 1, caps.tokens, caps.tokenLength).length;
  for (const name of ["chances", "entropyNats"]) {
    check.numbers(text[name], `${place}.${name}`, tokens);
    const low = (text[name] as readonly number[]).find((number) => number < 0);
    if (low !== undefined) check.fail(`${place}.${name}`, "numbers ≥ 0", low);
  }
  check.list(text["likely"], `${place}.likely`, tokens, tokens).forEach((step, at) => {
    check.list(step, `${place}.likely[${at}]`, 0, caps.likely).forEach((entry, rank) => {
      const { token, chance } = check.record(entry, `${place}.likely[${at}][${rank}]`);
      check.text(token, `${place}.likely[${at}][${rank}].token`, caps.tokenLength);
      check.numbers([chance], `${place}.likely[${at}][${rank}].chance`, 1);
    });
  });
  return { prompt, tokens };
}
