import type { Compiled, RunSettings, Value } from "./graph/index.js";
import { randomUUID } from "node:crypto";
import { devices, engineOf } from "./host/devices.js";
import { files, modelFolders, ownModels } from "./host/files.js";
import { download } from "./host/hub/download.js";
import { hubFolder, hubSettings } from "./host/hub/settings.js";
import { kernel } from "./host/jupyter/api.js";
import { answerFigures } from "./host/jupyter/liveLink.js";
import { announceLoad } from "./host/jupyter/representations/loading.js";
import { decodePicture } from "./host/pictures.js";
import { progress } from "./host/jupyter/representations/progress.js";
import { versions } from "./host/versions.js";
import { createSharedRuns, experiments, questions } from "./live/index.js";
import type { AudioOptions, AudioSource, Host, LoadOptions, Model, Run, Sharing } from "./models/index.js";
import { loadAudioFeatures, loadModel } from "./models/index.js";
import type { Tensor as TensorOf } from "./tensor/index.js";
import { checkOptions } from "./tensor/index.js";

const sharedRuns = createSharedRuns({ createName: () => randomUUID().slice(0, 13) });

/** Lets the figure of a run ask for more of it, where there is a kernel to ask. */
function share(run: Run): string | undefined {
  const running = kernel();
  if (!running) return undefined;
  answerFigures(running, { find: sharedRuns.find, questions, experiments });
  return sharedRuns.share(run);
}

const host: Host & Sharing = {
  files,
  engine: async (device, dtype) => engineOf(device, dtype, { onLoad: announceLoad }),
  modelFolders: () => [...modelFolders(), ownModels],
  hubFolder,
  download: (id, revision) => download(hubSettings(), id, revision, { progress, signal: kernel()?.interruptSignal() }),
  interruptSignal: () => kernel()?.interruptSignal(),
  decodePicture,
  versions,
  share,
};

/**
 * Loads a transformer: a folder in Hugging Face layout, the name of one below a model folder, an .onnx file, or a hub id,
 * which is fetched into the shared Hugging Face cache where it is not there yet.
 *
 * Throws   FormatError on a missing, broken or inconsistent model; UnsupportedError on one that this version cannot
 *          run exactly; OptionError on an unknown option or device
 * Example  const model = await load("all-MiniLM-L6-v2")
 */
export async function load(source: string, options: LoadOptions = {}): Promise<Model> {
  return loadModel(host, source, options);
}

/**
 * What a speech model hears: log-mel spectrograms of WAV files, or of samples of one channel at the model's rate, as its
 * preprocessor_config.json says. What is shorter than its span ends in silence; another rate is refused.
 *
 * Shapes   [batch, bins, frames]
 * Throws   FormatError, UnsupportedError on files that cannot be read exactly; OptionError on sounds that do not fit
 * Example  await model.run({ inputFeatures: await audioFeatures("a.wav", { model: "openai/whisper-tiny" }), decoderInputIds: [[50258]] })
 */
export async function audioFeatures(
  sources: AudioSource | readonly AudioSource[],
  options: AudioOptions,
): Promise<TensorOf<"float32">> {
  return loadAudioFeatures(host, sources, options);
}

export interface CompileOptions {
  /** Where the graph runs: `"cpu"`; `"auto"` takes the fastest; see `devices()`. */
  readonly device?: string;
}

/**
 * Loads a graph, ready to run. An interrupt of the cell rejects the run unless it has a signal of its own.
 *
 * Throws   OptionError on an unknown option or device; EngineError when it does not fit into memory
 * Example  const compiled = await compile({ y }); const { y } = await compiled.run({ x: tensor([1, 2]) })
 */
export async function compile(
  outputs: Readonly<Record<string, Value>>,
  options: CompileOptions = {},
): Promise<Compiled> {
  checkOptions("compile", options, ["device"]);
  const { device = "cpu" } = options;
  const settings = (): RunSettings => {
    const signal = host.interruptSignal();
    return signal ? { signal } : {};
  };
  const compiled = await (await host.engine(device, "float32")).compile(outputs, settings());
  return { ...compiled, run: async (feeds, wanted, given = settings()) => compiled.run(feeds, wanted, given) };
}

export { compare, optimise, save, train, transformer, visionTransformer } from "./workshop.js";
export { transnormer, type TransnormerOptions } from "./models/index.js";
export type { OnDevice, OptimiseOptions, TransformerOptions, VisionTransformerOptions } from "./workshop.js";

/** Rules by which slopes change weights, and how their rate goes: `train(model, task, { optimiser: adam({ rate: 3e-3 }) })`. */
export {
  adam,
  Comparison,
  constantRate,
  cosineRate,
  DivergedError,
  FailedStepError,
  Fit,
  inverseRootRate,
  linearRate,
  lion,
  plotCurves,
  sgd,
  Trained,
} from "./training/index.js";
export type {
  AdamOptions,
  CompareOptions,
  ComparisonRow,
  Cost,
  CostMeasure,
  Evaluation,
  LionOptions,
  Loss,
  Optimiser,
  ParameterGroup,
  PatternHistory,
  Problem,
  Schedule,
  ScheduleOptions,
  SgdOptions,
  Snapshot,
  TrainOptions,
  Trial,
} from "./training/index.js";

export { devices };
export type { Device } from "./host/devices.js";

/** The graph language in which metrics, and everything else that is computed, are written. */
export * as graph from "./graph/notebook.js";

/** Changes to a model, one value each: `model.run(prompt, { interventions: [interventions.zeroZ({ layer: 5, head: 1 })] })`. */
export * as interventions from "./interventions/index.js";

/** Measurements compiled into a run, one value each: `model.run(prompt, { probes: [probes.massPerKey()] })`. */
export * as probes from "./probes/index.js";

/** Attention as a value: mechanisms, masks and positions of the papers, and the laws that hold them. */
export {
  and,
  lawsOf,
  masks,
  maskTensor,
  mechanism,
  mechanisms,
  not,
  or,
  positions,
  stateNumbers,
} from "./attention/index.js";
export type { Attended, Call, LawResult, Mask, Mechanism, MechanismSpec, Promises } from "./attention/index.js";

export type {
  Address,
  AudioOptions,
  AudioSource,
  ComputeOptions,
  AttentionStack,
  DescribedActivation,
  DescribedLevel,
  EditReport,
  EditSite,
  GeneratedToken,
  GenerateOptions,
  GradientOptions,
  Gradients,
  GraphEdit,
  HeadPlaceInRun,
  Intervention,
  LoadOptions,
  Metric,
  ModelInput,
  Picture,
  PictureSource,
  Probe,
  ProcessOptions,
  RunOptions,
  Site,
  TokenSet,
} from "./models/index.js";
export { Description, Generation, Model, Run } from "./models/index.js";
export type {
  DecodeNpzOptions,
  DType,
  Inflate,
  IntegerOptions,
  NormalOptions,
  Range,
  UniformOptions,
} from "./tensor/index.js";
export {
  decodeNpy,
  decodeNpz,
  decodeSafetensors,
  einsum,
  encodeNpy,
  encodeNpz,
  encodeSafetensors,
  random,
  RandomStream,
} from "./tensor/index.js";
export { EngineError, FormatError, OptionError, ShapeError, Tensor, tensor, UnsupportedError } from "./tensor/index.js";

export type {
  AttentionFlowOptions,
  AttentionGradientOptions,
  AttributionGraphOptions,
  AudioAttentionOptions,
  Circuit,
  ComparedHead,
  Composition,
  CompositionKind,
  CompositionOptions,
  EdgeAttributionOptions,
  EdgeScore,
  FlowSample,
  HeadImportanceOptions,
  HeadOptions,
  HeadRoleOptions,
  HeadScore,
  HeadScoresParts,
  HeadSeries,
  ImageAttentionOptions,
  HeadSpectra,
  HeadSpectraOptions,
  MaskAttentionOptions,
  PathPatchingOptions,
  PathReceiver,
  PatternSimilarityOptions,
  RetrievalCase,
  RetrievalOptions,
  RunStripOptions,
  Saliency,
  SaliencyOptions,
  ScatterOptions,
  Svd,
  TokenValueOptions,
  WeightForm,
} from "./analyses/index.js";
export {
  attentionFlow,
  attentionGradients,
  attentionRollout,
  compareHeads,
  AttributionGraph,
  attributionGraph,
  AudioAttention,
  audioAttention,
  compositionScores,
  CompositionScores,
  edgeAttribution,
  EdgeScores,
  headDistances,
  headImportance,
  HeadPair,
  headRoles,
  HeadScores,
  headSpectra,
  ImageAttention,
  imageAttention,
  maskAttention,
  pathPatching,
  patternSimilarity,
  PatternSimilarity,
  retrievalHeads,
  saliency,
  Scatter,
  scatter,
  TokenFlow,
  TokenStrip,
  tokenStrip,
} from "./analyses/index.js";

export type {
  AblateOptions,
  AblationMode,
  AblationRow,
  DormancyOptions,
  DormancyRow,
  SinkHeadThresholds,
  VisualSink,
  VisualSinkOptions,
  VisualSinks,
  AttributionOptions,
  AttributionPatchingOptions,
  AttributionPatchingResult,
  HeadEffectOptions,
  LensOptions,
  LensResult,
  LogitAttribution,
  MassiveActivation,
  PatchingOptions,
  PatchingParts,
  PromptMetric,
  SecondarySink,
  SinkHead,
  SinkOptions,
  SinkSample,
  TokenName,
} from "./analyses/index.js";
export {
  ablate,
  dormancy,
  DormancyTable,
  visualSinks,
  AblationTable,
  activationPatching,
  attributionPatching,
  headEffect,
  logitAttribution,
  logitDifference,
  logitLens,
  PatchingMap,
  promptLoss,
  SinkReport,
  sinks,
} from "./analyses/index.js";

/** The picture of a result, saved as SVG, PDF, PNG, CSV, JSON or npz: `figure(result, { preset: "neurips" }).save("fig.pdf")`. */
export { Figure, figure, type SaveOptions } from "./host/figure.js";
export type { FigureOptions } from "./figure/index.js";

/** Prompts with known answers, and examples to train on, each a function of its seed. */
export * as tasks from "./tasks/index.js";

export type { Comm, CommMessage, DisplayHandle, DisplayOptions } from "./host/jupyter/api.js";
export { clearOutput, display, input, interruptSignal, openComm, registerCommTarget } from "./host/jupyter/api.js";
export type { Progress, ProgressOptions, TrackOptions } from "./host/jupyter/representations/progress.js";
export { progress, track } from "./host/jupyter/representations/progress.js";
