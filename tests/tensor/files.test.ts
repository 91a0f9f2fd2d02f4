import { inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Files } from "../../kernel/models/host.js";
import { openSafetensors, parseSafetensorsHeader } from "../../kernel/models/safetensors.js";
import { decodeNpy, decodeNpz, decodeSafetensors, encodeNpy, encodeNpz, encodeSafetensors, FormatError, tensor, Tensor, UnsupportedError } from "../../kernel/tensor/index.js"; // prettier-ignore

const inflate = (packed: Uint8Array, sizeBytes: number): Uint8Array =>
  inflateRawSync(packed, { maxOutputLength: Math.max(sizeBytes, 1) });
const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));

// Written by NumPy 2: np.save of [[1.5, -2, 3], [4, 5, 6]] as <f4, of a Fortran-ordered 2 × 3 <i4, of float64 0.1;
// np.savez_compressed(x=arange(20), y=[True, False]); np.savez(x=uint8 [1, 2]).
const numpy = {
  c: "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAQEAAAIBAAACgQAAAwEA=",
  f: "k05VTVBZAQB2AHsnZGVzY3InOiAnPGk0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAwAAAAEAAAAEAAAAAgAAAAUAAAA=",
  s: "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqamZmZmZm5Pw==",
  z: "UEsDBC0AAAAIAAAAIQDjzWTA//////////8FABQAeC5ucHkBABAAIAEAAAAAAAB5AAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkYGOpo6CrUK5AMuBihghNJMUJoZSrNAaVYozQal2aE0B5TmhNIwA7mhNA+U5oXSfFCaH0oLQGlBKC0EpYWhNABQSwMELQAAAAgAAAAhAO4Zu13//////////wUAFAB5Lm5weQEAEACCAAAAAAAAAEYAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgXpNkqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALkYGAFBLAQItAy0AAAAIAAAAIQDjzWTAeQAAACABAAAFAAAAAAAAAAAAAACAAQAAAAB4Lm5weVBLAQItAy0AAAAIAAAAIQDuGbtdRgAAAIIAAAAFAAAAAAAAAAAAAACAAbAAAAB5Lm5weVBLBQYAAAAAAgACAGYAAAAtAQAAAAA=",
  n: "UEsDBC0AAAAAAAAAIQBiAmVf//////////8FABQAeC5ucHkBABAAggAAAAAAAACCAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJ3x1MScsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAQJQSwECLQMtAAAAAAAAACEAYgJlX4IAAACCAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwUGAAAAAAEAAQAzAAAAuQAAAAAA",
};

const every = {
  matrix: tensor([[1.5, -2, 3], [4, 5, 6]]), // prettier-ignore
  scalar: tensor(0.1, "float64"),
  half: tensor([1, 65504], "float16"),
  wide: new Tensor("int64", [2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
  empty: new Tensor("int32", [0, 3], new Int32Array()),
  flags: tensor([[true], [false]], "bool"),
  "naïve.ü": tensor([1, 255], "uint8"),
};
const { "naïve.ü": _, ...ascii } = every;

describe("NumPy files", () => {
  it("are written byte for byte as NumPy writes them", () => {
    expect(encodeNpy(every.matrix)).toEqual(bytes(numpy.c));
    expect(encodeNpy(every.scalar)).toEqual(bytes(numpy.s));
  });

  it("are read in either memory order", () => {
    expect(decodeNpy(bytes(numpy.c))).toEqual(every.matrix);
    expect(decodeNpy(bytes(numpy.s))).toEqual(every.scalar);
    expect(decodeNpy(bytes(numpy.f))).toEqual(tensor([[0, 1, 2], [3, 4, 5]], "int32")); // prettier-ignore
  });

  it.each(Object.entries(every))("keep %s", (_, value) => expect(decodeNpy(encodeNpy(value))).toEqual(value));

  it("in archives: stored and compressed", () => {
    const { x, y } = decodeNpz(bytes(numpy.z), "z", { inflate });
    expect([...x.numbers()]).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(y).toEqual(tensor([true, false], "bool"));
    expect(decodeNpz(bytes(numpy.n))["x"]).toEqual(tensor([1, 2], "uint8"));
    expect(() => decodeNpz(bytes(numpy.z), "z.npz")).toThrow('z.npz: "x.npy" is compressed by method 8');
    expect(decodeNpz(encodeNpz(ascii))).toEqual(ascii);
    expect(() => encodeNpz(every)).toThrow('zip: expected an ASCII name, got "naïve.ü.npy"');
  });

  it("are refused with the reason when they are broken", () => {
    const npy = encodeNpy(every.matrix);
    expect(() => decodeNpy(npy.subarray(0, 140), "a.npy")).toThrow(
      "a.npy: shape [2,3] of float32 needs 24 bytes, got 12",
    );
    expect(() => decodeNpy(npy.subarray(0, 60))).toThrow("npy: the header claims 118 bytes but the file holds 60");
    expect(() => decodeNpy(new Uint8Array(200))).toThrow("npy: not a NumPy file");
    const npz = encodeNpz(ascii);
    expect(() => decodeNpz(npz.subarray(0, 300))).toThrow("npz: has no end record; is it truncated?");
    const flipped = npz.slice();
    flipped[170] ^= 1;
    expect(() => decodeNpz(flipped)).toThrow("does not match its checksum");
  });
});

describe("safetensors", () => {
  it("are written so that the strict reader takes them, aligned and in a fixed order", () => {
    const file = encodeSafetensors(every, { source: "tést" });
    const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    const json = Buffer.from(file.subarray(8, 8 + headerBytes)).toString("utf8");
    expect((JSON.parse(json) as { __metadata__: object }).__metadata__).toEqual({ source: "tést" });
    const entries = parseSafetensorsHeader("test", json, file.length - 8 - headerBytes);
    expect(entries.map(({ name }) => name).sort()).toEqual(Object.keys(every).sort());
    for (const { name, shape, offset, sizeBytes } of entries) {
      const { data, shape: own } = every[name as keyof typeof every];
      expect(shape).toEqual([...own]);
      expect(offset % data.BYTES_PER_ELEMENT).toBe(0);
      const start = 8 + headerBytes + offset;
      expect(file.subarray(start, start + sizeBytes)).toEqual(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
    }
    const reversed = Object.fromEntries(Object.entries(every).reverse());
    expect(encodeSafetensors(reversed, { source: "tést" })).toEqual(file);
    expect(() => encodeSafetensors({ __metadata__: every.scalar })).toThrow("no tensor can be called");
  });

  it("are read back, from bytes at any place in a buffer", () => {
    const file = encodeSafetensors({ ...every, ünïcode: tensor([1]) });
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(decodeSafetensors(shifted.subarray(3))).toEqual({ ...every, ünïcode: tensor([1]) });
    expect(() => decodeSafetensors(file.subarray(0, 60))).toThrow("bytes but the file holds 60; is it truncated?");
    expect(() => decodeSafetensors(new Uint8Array(4))).toThrow("safetensors: expected at least 8 bytes, got 4");
    const broken = Uint8Array.from([4, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0x25, 0x25]);
    expect(() => decodeSafetensors(broken)).toThrow("safetensors: the header is not text");
  });

  it("match a golden file", () => {
    const golden = '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}';
    const expected = [56, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from(golden.padEnd(56)), 7, 8];
    expect([...encodeSafetensors({ a: tensor([7, 8], "uint8") })]).toEqual(expected);
  });
});

describe("hostile files", () => {
  /** Whole numbers that are the same on every machine. */
  function draws(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }

  /** A disk that holds one file. */
  const disk = (file: Uint8Array): Files =>
    ({
      stat: () => Promise.resolve({ kind: "file", sizeBytes: file.length, modifiedMs: 0, realPath: "f" }),
      readBytes: (_: string, offset: number, sizeBytes: number) => {
        if (offset + sizeBytes > file.length + 8) throw new Error(`reads ${sizeBytes} bytes of ${file.length}`);
        return Promise.resolve(file.slice(offset, offset + sizeBytes));
      },
      decodeText: (text: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(text),
    }) as unknown as Files;

  it("safetensors: cut, flipped and stuffed bytes give a FormatError or a valid listing", async () => {
    const valid = encodeSafetensors(every, { source: "tést" });
    const draw = draws(7);
    expect((await openSafetensors(disk(valid), "f")).size).toBe(Object.keys(every).length);
    for (let round = 0; round < 4000; round++) {
      const file = valid.slice(0, draw(4) === 0 ? draw(valid.length) : valid.length);
      for (let n = draw(4); n >= 0 && file.length > 0; n--) {
        // Most harm lies in the header.
        const at = draw(draw(8) === 0 ? 8 : file.length);
        file.fill(draw(2) === 0 ? 0x30 + draw(10) : draw(256), at, at + 1 + draw(6));
      }
      const opened = await openSafetensors(disk(file), "f").catch((error: unknown) => {
        if (!(error instanceof FormatError)) throw error;
      });
      try {
        // Both readers take the same files.
        expect(Object.keys(decodeSafetensors(file))).toEqual([...(opened?.keys() ?? ["refused"])]);
      } catch (error) {
        if (!(error instanceof FormatError && !opened) && !(error instanceof UnsupportedError)) throw error;
      }
    }
  });

  it.each([
    ['{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}', "has no valid shape"],
    ['{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775808]}}', "has no valid data_offsets"],
    ['{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}', "needs"],
    [
      '{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}',
      "overlaps",
    ],
    ['{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}', "the tensors cover 4 bytes but the file holds 8"],
    [`${"[".repeat(100_000)}`, "the header is not JSON"],
  ])("safetensors: %.60s", async (json, message) => {
    const file = new Uint8Array(16 + json.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    file.set(Buffer.from(json), 8);
    const opened = openSafetensors(disk(file), "f");
    await expect(opened).rejects.toThrow(FormatError);
    await expect(opened).rejects.toThrow(message);
  });

  it.each(["npy", "npz", "zip"])("%s: cut, flipped and stuffed bytes give a FormatError or a valid tensor", (kind) => {
    const valid = kind === "npy" ? encodeNpy(every.matrix) : kind === "npz" ? encodeNpz(ascii) : bytes(numpy.z);
    const draw = draws(valid.length);
    for (let round = 0; round < 4000; round++) {
      const file = valid.slice(0, draw(4) === 0 ? draw(valid.length) : valid.length);
      for (let n = draw(4); n >= 0 && file.length > 0; n--) {
        const at = draw(file.length);
        file.fill(draw(3) === 0 ? 255 : draw(256), at, at + 1 + draw(8));
      }
      try {
        if (kind === "npy") decodeNpy(file);
        else decodeNpz(file, "npz", { inflate });
      } catch (error) {
        if (!(error instanceof FormatError) && !(error instanceof UnsupportedError)) throw error;
      }
    }
  });

  it.each([
    ["(9223372036854775808,)", "needs 73786976294838210000 bytes"],
    ["(0, 9223372036854775808)", "needs 0 bytes"],
    ["(4294967296, 4294967296)", "bytes, got 0"],
    ["(-1,)", "expected descr, fortran_order and shape"],
  ])("npy: shape %s", (shape, message) => {
    const header = `{'descr': '<f8', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + "\n";
    const file = Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, 118, 0, ...Buffer.from(header)]);
    expect(() => decodeNpy(file)).toThrow(FormatError);
    expect(() => decodeNpy(file)).toThrow(message);
  });
});
