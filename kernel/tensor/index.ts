export { asciiBytes, asciiText, bytesIn, dataFrom, joinBytes } from "./bytes.js";
export { decodeSafetensors, safetensorsHeaderLimit, storedTensor } from "./decodeSafetensors.js";
export type { DataOf, DType } from "./dtype.js";
export { allocate, bytesOf, dtypes, isDType, isFloat, numberAt, packNumbers } from "./dtype.js";
export { einsum } from "./einsum.js";
export type { EinsumSpec } from "./einsumSpec.js";
export { parseEinsum } from "./einsumSpec.js";
export {
  checkOptions,
  EngineError,
  FormatError,
  knownNames,
  OptionError,
  ShapeError,
  UnsupportedError,
} from "./errors.js";
export { halfBits, halfValue } from "./half.js";
export type { Range } from "./layout.js";
export { nearestName } from "./nearest.js";
export { isDeeper } from "./nesting.js";
export { decodeNpy, encodeNpy } from "./npy.js";
export type { DecodeNpzOptions } from "./npz.js";
export { decodeNpz, encodeNpz } from "./npz.js";
export type { IntegerOptions, NormalOptions, UniformOptions } from "./random.js";
export { random, RandomStream } from "./random.js";
export { type RecordClass, recordOf } from "./record.js";
export { encodeSafetensors } from "./safetensors.js";
export type { StoredEntry } from "./safetensorsHeader.js";
export { parseSafetensorsHeader, storageOf } from "./safetensorsHeader.js";
export { asAxis, asShape, formatShape, sizeOf, stridesOf } from "./shape.js";
export type { MimeBundle } from "./show.js";
export { showWith } from "./show.js";
export { Tensor, tensor } from "./tensor.js";
export type { Inflate } from "./zip.js";
export { wholeNumber } from "./wholeNumber.js";
