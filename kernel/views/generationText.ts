import type { GenerationPayload } from "./generationPayload.js";
import { provenanceText } from "./heading.js";
import { visibleToken } from "./visibleToken.js";

const shown = 60;

/**
 * A summary of several lines: each text, its mean surprise, its least expected token.
 *
 * Example
 *   What gpt2 wrote
 *     0: Once upon a time → there was a
 *        3 tokens, mean surprise 1.2 nats; least expected: "was" 0.11
 */
export function generationText(payload: GenerationPayload): string {
  const { title, texts, grid, notes } = payload;
  const words = (tokens: readonly string[]): string => tokens.slice(0, shown).map(visibleToken).join(" ") + (tokens.length > shown ? " …" : ""); // prettier-ignore
  return [
    title,
    ...texts.flatMap(({ prompt, tokens, chances }, at) => {
      const surprise = chances.reduce((sum, chance) => sum - Math.log(Math.max(chance, 1e-300)), 0) / tokens.length;
      const least = chances.reduce((best, chance, step) => (chance < chances[best] ? step : best), 0);
      const size = `${tokens.length} ${tokens.length === 1 ? "token" : "tokens"}`;
      return [
        `  ${at}: ${words(prompt)} → ${words(tokens)}`,
        `     ${size}, mean surprise ${Number(surprise.toPrecision(3))} nats; least expected: ${JSON.stringify(visibleToken(tokens[least]))} ${Number(chances[least].toPrecision(3))}`,
      ];
    }),
    ...(grid ? [`  attention of each new token: ${grid.layers} layers × ${grid.heads} heads`] : []),
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}
