import { decodeNpy, encodeNpy } from "./npy.js";
import type { Tensor } from "./tensor.js";
import type { Inflate } from "./zip.js";
import { decodeZip, encodeZip } from "./zip.js";

/** Named tensors as an uncompressed NumPy archive, as `numpy.savez` writes it. */
export function encodeNpz(tensors: Readonly<Record<string, Tensor>>): Uint8Array {
  return encodeZip(new Map(Object.entries(tensors).map(([name, tensor]) => [`${name}.npy`, encodeNpy(tensor)])));
}

export interface DecodeNpzOptions {
  /** Reads what `numpy.savez_compressed` wrote; without it such an archive is refused. */
  readonly inflate?: Inflate;
}

/**
 * The tensors of a NumPy archive by name.
 *
 * Throws   FormatError on a broken archive; UnsupportedError on a compressed one without `inflate`
 */
export function decodeNpz(
  bytes: Uint8Array,
  place = "npz",
  { inflate }: DecodeNpzOptions = {},
): Record<string, Tensor> {
  return Object.fromEntries(
    [...decodeZip(bytes, place, inflate)].map(([file, content]) => {
      const name = file.replace(/\.npy$/, "");
      return [name, decodeNpy(content, `${place} "${name}"`)];
    }),
  );
}
