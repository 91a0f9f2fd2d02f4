import { headEffectText } from "./headEffect.js";
import type { HeadGridPayload, HeadGridSample } from "./headGridPayload.js";
import type { HeadScalars } from "./headScalars.js";
import { modelSizeText, sampleSizeText } from "./sizeText.js";
import { visibleToken } from "./visibleToken.js";

const shownHeads = 3;
const shownTokens = 24;

const rankings: readonly {
  readonly label: string;
  readonly name: keyof HeadScalars;
  readonly smallest?: boolean;
}[] = [
  { label: "special tokens", name: "specialTokenMass" },
  { label: "first token", name: "firstTokenMass" },
  { label: "previous token", name: "previousTokenMass" },
  { label: "most focused (nats)", name: "entropyNats", smallest: true },
];

/**
 * A summary of several lines for terminals, diffs and screen readers: the model, the input, the strongest heads.
 *
 * Example
 *   MiniLM · 6 layers × 12 heads
 *   sample 1 of 3, 7 tokens: [CLS] the cat sat down . [SEP]
 *     special tokens       4.8 0.97 · 5.1 0.96 · 3.0 0.93
 */
export function headGridText(payload: HeadGridPayload): string {
  const { title, causal, samples, provenance, effects = [] } = payload;
  const lines = [`${title} · ${modelSizeText(payload)}${causal ? " · causal" : ""}`];
  samples.forEach((sample, index) => lines.push(...sampleLines(payload, sample, index)));
  lines.push(...effects.map(headEffectText));
  lines.push("heads are layer.head, zero-based; numbers are means over the queries");
  const source = Object.entries(provenance).map(([name, value]) => `${name} ${value}`);
  if (source.length) lines.push(source.join(" · "));
  return lines.join("\n");
}

function sampleLines(payload: HeadGridPayload, sample: HeadGridSample, index: number): readonly string[] {
  const { keyTokens, scalars, specialKeys } = sample;
  const shown = keyTokens.slice(0, shownTokens).map(visibleToken).join(" ");
  const rest = keyTokens.length > shownTokens ? " …" : "";
  return [
    `sample ${index + 1} of ${payload.samples.length}, ${sampleSizeText(sample)}: ${shown}${rest}`,
    ...rankings
      .filter(({ name }) => name !== "specialTokenMass" || specialKeys.length > 0)
      .map(({ label, name, smallest }) => `  ${label.padEnd(20)} ${strongest(scalars[name], payload.heads, smallest)}`),
  ];
}

function strongest(values: readonly number[], heads: number, smallest = false): string {
  const order = values
    .map((_, index) => index)
    .sort((a, b) => (smallest ? values[a] - values[b] : values[b] - values[a]));
  return order
    .slice(0, shownHeads)
    .map((index) => `${Math.floor(index / heads)}.${index % heads} ${values[index].toFixed(2)}`)
    .join(" · ");
}
