import { audioTimeline, type AudioMap, type AudioTimelinePayload, type Spectrum } from "attention-lab/views";
import { seeded } from "./headGrid.js";

const words = "<|startoftranscript|> <|en|> ␣Mr .  ␣Quilter ␣is ␣the ␣apostle ␣of ␣the ␣middle ␣classes".split(/ +/);
const [frames, secondsPerFrame, bins] = [240, 0.02, 40];
const start = (token: number): number => (token < 2 ? 0 : 0.3 + (token - 2) * 0.4);

/** Bursts of sound where the words lie, and silence between. */
function syntheticSpectrum(): Spectrum {
  const random = seeded(8);
  const values = Float32Array.from({ length: bins * frames }, (_, at) => {
    const [bin, time] = [Math.floor(at / frames), (at % frames) * secondsPerFrame];
    const spoken = words.some((_, token) => token > 1 && time > start(token) && time < start(token) + 0.32);
    const formant = Math.cos(bin / 4 + Math.sin(5 * time)) ** 2 * Math.exp(-bin / 25);
    return spoken ? formant + 0.15 * random() : 0.08 * random();
  });
  return { bins, columns: frames, values };
}

/** Tokens that listen where their word is spoken, the more sharply the later the head. */
function syntheticMap(name: string, layer: number, head: number, sharpness: number): AudioMap {
  const random = seeded(100 + 7 * layer + head);
  const weights = new Float32Array(words.length * frames);
  words.forEach((_, token) => {
    const row = Float32Array.from({ length: frames }, (_, frame) => {
      const far = Math.abs(frame * secondsPerFrame - start(token) - 0.16) / 0.12;
      return Math.exp(sharpness * Math.exp(-far * far) + random());
    });
    const sum = row.reduce((all, weight) => all + weight, 0);
    weights.set(row.map((weight) => weight / sum), token * frames); // prettier-ignore
  });
  return { name, layer, head, weights };
}

/** What a model that does not exist hears in a sentence that was not spoken. */
function syntheticTimeline(): AudioTimelinePayload {
  const maps = [
    ...[0, 1, 2, 3].map((layer) => syntheticMap(`L${layer} mean`, layer, -1, 1 + layer)),
    syntheticMap("mean of 2 heads", -1, -1, 6),
  ];
  return audioTimeline(words, { frames, secondsPerFrame }, maps, {
    title: "Cross-attention of a synthetic Whisper",
    spectrum: syntheticSpectrum(),
    starts: words.map((_, token) => start(token)),
    notes: ["Stairs: where each token begins, by dynamic time warping."],
    provenance: { model: "synthetic, seed 8" },
  });
}

/** Gallery examples by name. */
export const audioTimelineExamples: Readonly<Record<string, () => AudioTimelinePayload>> = { audio: syntheticTimeline };
