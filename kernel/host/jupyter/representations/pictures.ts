import type { Kind } from "./representation.js";

/** MIME type and the bytes a file of it begins with; undefined stands for any byte. */
const signatures: readonly (readonly [string, readonly (number | undefined)[]])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38, undefined, 0x61]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46, undefined, undefined, undefined, undefined, 0x57, 0x45, 0x42, 0x50]],
];

/** Bytes that are a picture file. */
export const pictures: Kind = {
  represent(value) {
    if (!(value instanceof Uint8Array)) return undefined;
    const found = signatures.find(([, start]) => start.every((byte, at) => byte === undefined || value[at] === byte));
    return found && { [found[0]]: value, "text/plain": `${found[0]}, ${value.length} bytes` };
  },
};
