import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { files } from "../../kernel/lib/host/files.js";
import { openSafetensors, parseSafetensorsHeader, readTensor } from "../../kernel/lib/models/index.js";
import { FormatError } from "../../kernel/lib/tensor/index.js";

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safetensors-"));
  path = join(folder, "model.safetensors");
});
afterAll(() => rmSync(folder, { recursive: true }));

function bytesOf(header: unknown, data: Uint8Array, claimed?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const floats = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const good = {
  __metadata__: { format: "pt" },
  b: { dtype: "F32", shape: [2], data_offsets: [16, 24] },
  a: { dtype: "F32", shape: [2, 2], data_offsets: [0, 16] },
};

async function open(header: unknown, data: Uint8Array = floats, claimed?: bigint): Promise<unknown> {
  writeFileSync(path, bytesOf(header, data, claimed));
  return openSafetensors(files, path);
}

describe("a safetensors file", () => {
  it("gives its tensors by name, where they lie and what they hold", async () => {
    writeFileSync(path, bytesOf(good, floats));
    const tensors = await openSafetensors(files, path);
    expect([...tensors.keys()]).toEqual(["b", "a"]);
    expect((await readTensor(files, tensors.get("a")!)).numbers()).toEqual(Float64Array.of(1, 2, 3, 4));
    expect((await readTensor(files, tensors.get("b")!)).shape).toEqual([2]);
  });

  it("reads bfloat16, float16, integers and booleans", async () => {
    const data = Uint8Array.of(
      0x80,
      0x3f,
      0x00,
      0xc0,
      0x00,
      0x3c,
      0x00,
      0xc0,
      255,
      255,
      255,
      255,
      255,
      255,
      255,
      255,
      1,
      7,
    );
    writeFileSync(
      path,
      bytesOf(
        {
          bf: { dtype: "BF16", shape: [2], data_offsets: [0, 4] },
          half: { dtype: "F16", shape: [2], data_offsets: [4, 8] },
          long: { dtype: "I64", shape: [], data_offsets: [8, 16] },
          flag: { dtype: "BOOL", shape: [1], data_offsets: [16, 17] },
          byte: { dtype: "U8", shape: [1], data_offsets: [17, 18] },
        },
        data,
      ),
    );
    const tensors = await openSafetensors(files, path);
    const read = async (name: string): Promise<number[]> => [
      ...(await readTensor(files, tensors.get(name)!)).numbers(),
    ];
    expect(await read("bf")).toEqual([1, -2]);
    expect(await read("half")).toEqual([1, -2]);
    expect(await read("long")).toEqual([-1]);
    expect(await read("flag")).toEqual([1]);
    expect(await read("byte")).toEqual([7]);
  });

  const entry = (over: object): unknown => ({ ...good, b: { ...good.b, ...over } });
  const cases: readonly (readonly [string, unknown, string, Uint8Array?, bigint?])[] = [
    ["cut off in its data", good, 'tensor "b" spans bytes 16…24 but the file holds 0…20', floats.subarray(0, 20)],
    ["with bytes to spare", good, "the tensors cover 24 bytes but the file holds 28", new Uint8Array(28)],
    ["of the wrong size", entry({ shape: [3] }), 'tensor "b" spans bytes 16…24 but shape [3] of F32 needs 12'],
    ["with overlapping tensors", entry({ data_offsets: [8, 16] }), 'tensor "b" overlaps'],
    ["with a gap", { b: good.b }, 'tensor "b" leaves a gap; expected it to start at byte 0, got 16'],
    ["with a shape beyond all memory", entry({ shape: [2 ** 40, 2 ** 40] }), "needs 4.835"],
    ["with a negative dimension", entry({ shape: [-2] }), "no valid shape"],
    ["with an offset beyond 2^53", entry({ data_offsets: [0, 2 ** 63] }), "no valid data_offsets"],
    ["with reversed offsets", entry({ data_offsets: [24, 16] }), "spans bytes 24…16"],
    ["with an unknown dtype", entry({ dtype: "F31" }), 'unknown dtype "F31"'],
    ["with an unknown field", entry({ stride: 1 }), 'unknown field "stride"'],
    ["whose entry is no object", { ...good, b: 5 }, 'tensor "b" must be an object'],
    ["whose header is no object", "[1,2]", "must be a JSON object"],
    ["whose header is not JSON", "{", "the header is not JSON"],
    ["that claims a header of 2^63 bytes", good, "the header claims 9223372036854775808 bytes", floats, 2n ** 63n],
    ["that claims more header than file", good, "is it truncated?", floats, 5000n],
  ];

  it.each(cases.map(([what, ...rest]) => ({ what, rest })))("$what is refused with the numbers", async ({ rest }) => {
    const [header, message, data, claimed] = rest;
    const failure = await open(header, data, claimed).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FormatError);
    expect((failure as Error).message).toContain(message);
  });

  it("shorter than its length prefix is refused", async () => {
    writeFileSync(path, Uint8Array.of(1, 2, 3));
    await expect(openSafetensors(files, path)).rejects.toThrow("expected at least 8 bytes, got 3");
  });

  it("damaged at random is refused with a FormatError or still consistent, never anything else", async () => {
    const whole = bytesOf(good, floats);
    let state = 12345;
    const next = (limit: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state % limit;
    };
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      const bytes = whole.slice(0, next(4) === 0 ? next(whole.length) : whole.length);
      for (let i = 0; i <= next(4); i++) if (bytes.length > 0) bytes[next(bytes.length)] = next(256);
      writeFileSync(path, bytes);
      try {
        await openSafetensors(files, path);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
  });

  it("with a tensor named like a built-in property is read as any other", () => {
    const tensors = parseSafetensorsHeader("x", '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1);
    expect(tensors.map(({ name }) => name)).toEqual(["__proto__"]);
  });
});
