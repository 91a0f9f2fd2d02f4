import { Tensor } from "../tensor/index.js";

/** How a spectrogram is taken. */
export interface SpectrogramSettings {
  /** Samples per second. */
  readonly rate: number;
  /** Samples in a window; even. */
  readonly window: number;
  /** Samples from one window to the next. */
  readonly hop: number;
  /** Bands of the mel scale. */
  readonly bins: number;
}

/** Upper end of the highest band. */
const highestHz = 8000;

/** The scale is linear below, logarithmic above. */
const bend = { hz: 1000, mel: 15, melPerLog: 27 / Math.log(6.4) };

function melOf(hz: number): number {
  return hz < bend.hz ? (bend.mel * hz) / bend.hz : bend.mel + Math.log(hz / bend.hz) * bend.melPerLog;
}

function hzOf(mel: number): number {
  return mel < bend.mel ? (bend.hz * mel) / bend.mel : bend.hz * Math.exp((mel - bend.mel) / bend.melPerLog);
}

/**
 * Triangles over the frequencies of a spectrum, evenly spaced on the mel scale, each of area 1.
 *
 * Shapes   [bins, window/2 + 1]
 * Source   Slaney 1998, Auditory Toolbox 2, "MFCC"
 */
export function melFilters({ rate, window, bins }: SpectrogramSettings): Float64Array[] {
  const edges = Array.from({ length: bins + 2 }, (_, i) => hzOf((melOf(highestHz) * i) / (bins + 1)));
  return Array.from({ length: bins }, (_, bin) => {
    const [low, middle, high] = edges.slice(bin, bin + 3);
    return Float64Array.from({ length: window / 2 + 1 }, (__, k) => {
      const hz = (k * rate) / window;
      const rise = Math.min((hz - low) / (middle - low), (high - hz) / (high - middle));
      return (Math.max(rise, 0) * 2) / (high - low);
    });
  });
}

/** Power of each frequency of a real window, [window/2 + 1]: the sums over n and window − n are taken together. */
function powerSpectrum(window: number): (frame: Float64Array) => Float64Array {
  const half = window / 2;
  const angles = Array.from({ length: window }, (_, i) => (2 * Math.PI * i) / window);
  const [cosines, sines] = [angles.map(Math.cos), angles.map(Math.sin)];
  return (frame) => {
    const power = new Float64Array(half + 1);
    for (let k = 0; k <= half; k++) {
      let even = frame[0] + (k % 2 === 0 ? frame[half] : -frame[half]);
      let odd = 0;
      for (let n = 1, turn = k; n < half; n++, turn = (turn + k) % window) {
        even += (frame[n] + frame[window - n]) * cosines[turn];
        odd += (frame[n] - frame[window - n]) * sines[turn];
      }
      power[k] = even * even + odd * odd;
    }
    return power;
  };
}

/**
 * The log-mel spectrogram that Whisper hears: Hann windows centred on every hop, the sound mirrored at its ends.
 *
 *   S = max(log₁₀ max(F · |DFT(w ⊙ x)|², 10⁻¹⁰), max S − 8),  features = (S + 4) / 4
 *
 * Shapes   samples [N] → [bins, N/hop], the last window left out
 * Source   arXiv:2212.04356 §2.2
 */
export function logMel(samples: Float32Array, settings: SpectrogramSettings): Tensor<"float32"> {
  const { window, hop, bins } = settings;
  const half = window / 2;
  const frames = Math.floor(samples.length / hop);
  const filters = melFilters(settings).map((weights) => {
    const from = weights.findIndex((weight) => weight > 0);
    return { weights, from: Math.max(from, 0), to: weights.findLastIndex((weight) => weight > 0) };
  });
  const hann = Float64Array.from({ length: window }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / window));
  const mirrored = (at: number): number => {
    const inside = Math.abs(at);
    return samples[inside < samples.length ? inside : 2 * (samples.length - 1) - inside];
  };
  const spectrum = powerSpectrum(window);
  const levels = new Float64Array(bins * frames);
  let loudest = -Infinity;
  for (let t = 0; t < frames; t++) {
    const power = spectrum(hann.map((weight, n) => weight * mirrored(t * hop + n - half)));
    filters.forEach(({ weights, from, to }, bin) => {
      let sum = 0;
      for (let k = from; k <= to; k++) sum += weights[k] * power[k];
      const level = Math.log10(Math.max(sum, 1e-10));
      levels[bin * frames + t] = level;
      loudest = Math.max(loudest, level);
    });
  }
  return new Tensor(
    "float32",
    [bins, frames],
    Float32Array.from(levels, (level) => (Math.max(level, loudest - 8) + 4) / 4),
  );
}
