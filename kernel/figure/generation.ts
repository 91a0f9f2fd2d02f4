import { clip, type GenerationPayload, type TokenStripPayload } from "../views/index.js";
import { drawTokenStrip, type StripDrawing } from "./tokenStrip.js";

/** A written text as a strip: the prompt, and each new token with its surprise. */
export function writtenStrip({ title, texts, notes, provenance }: GenerationPayload, text: number): TokenStripPayload {
  const { prompt, tokens, chances } = texts[text];
  const surprise = chances.map((chance) => Number((-Math.log(Math.max(chance, 1e-300))).toPrecision(6)));
  return {
    view: "token-strip",
    version: "1.0",
    title: clip(title, 512),
    measure: "surprise of each new token, −ln p (nats)",
    kind: "sequential",
    tokens: [...prompt, ...tokens],
    values: [...prompt.map(() => null), ...surprise.map((nats) => Math.max(0, nats))],
    notes,
    provenance,
  };
}

/** A written text as SVG: its new tokens shaded by how little they were expected. */
export function drawGeneration(payload: GenerationPayload, text: number, drawing: StripDrawing): string {
  return drawTokenStrip(writtenStrip(payload, text), drawing);
}
