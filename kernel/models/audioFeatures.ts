import { checkOptions, FormatError, OptionError, Tensor } from "../tensor/index.js";
import type { FieldsOf } from "./config.js";
import { count, only, readConfig } from "./config.js";
import type { Files, Host } from "./host.js";
import { readJson } from "./json.js";
import { locate } from "./locate.js";
import { logMel } from "./logMel.js";
import type { Sound } from "./wav.js";
import { decodeWav } from "./wav.js";

/** The path of a WAV file, or the samples of one channel at the rate that the model hears. */
export type AudioSource = string | Float32Array;

export interface AudioOptions {
  /** The model that is to hear: what `load` is given. Its preprocessor_config.json says how. */
  readonly model: string;
  /** Branch, tag or commit of a hub id: `"main"`. */
  readonly revision?: string;
  /** Where hearing begins; what comes after the model's span is left out. A longer sound needs it. */
  readonly fromSeconds?: number;
}

interface Preprocessor {
  readonly feature_extractor_type: "WhisperFeatureExtractor";
  readonly feature_size: number;
  readonly sampling_rate: number;
  readonly hop_length: number;
  readonly chunk_length: number;
  readonly n_fft: number;
  readonly padding_value: 0;
  readonly dither: 0;
  readonly do_normalize: false;
}

/** Defaults as in transformers' WhisperFeatureExtractor. */
const fields: FieldsOf<Preprocessor> = {
  feature_extractor_type: only("WhisperFeatureExtractor"),
  feature_size: count(80),
  sampling_rate: count(16000),
  hop_length: count(160),
  chunk_length: count(30),
  n_fft: count(400),
  padding_value: only(0),
  dither: only(0),
  do_normalize: only(false),
};

/** What follows from the others, or speaks of other padding than with silence to the full span. */
const ignored = [
  "mel_filters",
  "n_samples",
  "nb_max_frames",
  "padding_side",
  "processor_class",
  "return_attention_mask",
];

async function soundOf(files: Files, source: unknown, rate: number): Promise<Sound> {
  if (source instanceof Float32Array) return { rate, samples: source };
  if (typeof source !== "string") {
    throw new OptionError(`audioFeatures: expected the path of a WAV file or a Float32Array, got ${typeof source}`);
  }
  const path = files.resolve(source);
  const stat = await files.stat(path);
  if (stat?.kind !== "file") throw new FormatError(`audioFeatures: no file ${path}`);
  return decodeWav(await files.readBytes(path, 0, stat.sizeBytes), `audioFeatures ${path}`);
}

/** The span that a model hears, silence after its end. */
function heard(place: string, { samples, rate }: Sound, wanted: Preprocessor, from: number | undefined): Float32Array {
  const { sampling_rate: hears, chunk_length: seconds } = wanted;
  if (rate !== hears) {
    throw new OptionError(
      `${place}: the sound has ${rate} samples a second, but the model hears ${hears}; convert it, for instance with ffmpeg -i in.wav -ar ${hears} -ac 1 out.wav`,
    );
  }
  const odd = samples.findIndex((sample) => !Number.isFinite(sample));
  if (odd >= 0) throw new OptionError(`${place}: sample ${odd} is ${samples[odd]}; expected finite numbers`);
  const length = seconds * hears;
  const start = Math.round((from ?? 0) * hears);
  if (samples.length === 0 || start >= samples.length) {
    throw new OptionError(
      `${place}: nothing to hear from second ${from ?? 0} on; the sound has ${samples.length / rate}`,
    );
  }
  if (from === undefined && samples.length > length) {
    throw new OptionError(
      `${place}: the sound has ${(samples.length / rate).toFixed(1)} seconds, but the model hears ${seconds}; say from where with fromSeconds`,
    );
  }
  const out = new Float32Array(length);
  out.set(samples.subarray(start, start + length));
  return out;
}

/** See `audioFeatures` of the facade. */
export async function loadAudioFeatures(
  host: Host,
  sources: AudioSource | readonly AudioSource[],
  options: AudioOptions,
): Promise<Tensor<"float32">> {
  checkOptions("audioFeatures", options, ["model", "revision", "fromSeconds"]);
  const { model, revision = "main", fromSeconds } = options;
  if (fromSeconds !== undefined && !(Number.isFinite(fromSeconds) && fromSeconds >= 0)) {
    throw new OptionError(`audioFeatures: fromSeconds must be a number of at least 0, got ${fromSeconds}`);
  }
  const list: readonly AudioSource[] = Array.isArray(sources) ? sources : [sources];
  if (list.length === 0) throw new OptionError("audioFeatures: expected at least one sound, got an empty list");
  const { files } = host;
  const folder = await locate(host, model, revision);
  const name = "preprocessor_config.json";
  if (!(await files.list(folder)).includes(name)) throw new FormatError(`audioFeatures ${folder}: no ${name}`);
  const wanted = readConfig("whisper", await readJson(files, files.resolve(folder, name)), fields, ignored);
  const { sampling_rate: rate, n_fft: window, hop_length: hop, feature_size: bins } = wanted;
  if (window % 2 !== 0) throw new FormatError(`audioFeatures ${folder}: n_fft must be even, got ${window}`);
  const spectra: Tensor<"float32">[] = [];
  for (const [i, source] of list.entries()) {
    const place = `audioFeatures: sound ${i}`;
    const samples = heard(place, await soundOf(files, source, rate), wanted, fromSeconds);
    spectra.push(logMel(samples, { rate, window, hop, bins }));
  }
  const size = spectra[0].data.length;
  const data = new Float32Array(spectra.length * size);
  spectra.forEach((spectrum, i) => data.set(spectrum.data, i * size));
  return new Tensor("float32", [spectra.length, ...spectra[0].shape], data);
}
