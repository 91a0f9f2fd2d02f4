import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Device } from "../../kernel/lib/index.js";
import { compile, devices, graph, load } from "../../kernel/lib/index.js";
import { softwareVulkan, webgpuTitle } from "../devices/softwareVulkan.js";

/** What a process with this environment finds. */
function inProcess(env: Readonly<Record<string, string>>, script: string): unknown {
  const library = JSON.stringify(new URL("../../kernel/lib/index.js", import.meta.url).href);
  const source = `const { compile, devices, graph, load } = await import(${library}); console.log(JSON.stringify(await (async () => { ${script} })()));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
  return JSON.parse(output.trim().split("\n").at(-1)!);
}

describe("devices", () => {
  it("lists every device, tried; one that cannot be used says why", async () => {
    const found = await devices();
    expect(found.map(({ name }) => name)).toEqual(["cpu", "cuda", "webgpu", "coreml", "directml"]);
    expect(found[0]).toMatchObject({ usable: true, dtypes: ["float32", "float16"] });
    expect(found[0].memoryBytes).toBeGreaterThan(1e9);
    for (const { usable, note, dtypes } of found) {
      expect(note).not.toBe("");
      expect(dtypes.length > 0).toBe(usable);
    }
  });

  it("are tried once per process", async () => {
    const [first, second] = [await devices(), await devices()];
    first.forEach((device, i) => expect(second[i]).toBe(device));
  });

  it("refuses one that cannot be used, with the reason, and an unknown one with the known", async () => {
    const absent = process.platform === "darwin" ? "directml" : "coreml";
    const only = process.platform === "darwin" ? "Windows" : "macOS";
    await expect(load("x", { device: absent })).rejects.toThrow(
      `device "${absent}" cannot be used here: it exists on ${only} only; use "cpu"`,
    );
    const y = graph.build.mul(graph.input("x", "float32", []), 2);
    await expect(compile({ y }, { device: "webgpuu" })).rejects.toThrow('did you mean "webgpu"?');
  });

  it("tells a missing driver from a working one", () => {
    const found = inProcess({ VK_ICD_FILENAMES: "/nowhere.json", LD_LIBRARY_PATH: "" }, "return devices()") as Device[];
    const webgpu = found.find(({ name }) => name === "webgpu")!;
    if (process.platform === "linux") expect(webgpu).toMatchObject({ usable: false, dtypes: [] });
  });
});

const vulkan = softwareVulkan();

describe.skipIf(!vulkan)(webgpuTitle("device", vulkan), () => {
  it("is found and named as software, which auto passes over", () => {
    const script = `
      const found = await devices();
      const auto = await load(${JSON.stringify(new URL("../oracles/models/gpt2", import.meta.url).pathname)}, { device: "auto" });
      return { webgpu: found.find(({ name }) => name === "webgpu"), auto: auto.device };`;
    expect(inProcess(vulkan!, script)).toMatchObject({
      webgpu: { usable: true, isSoftware: true, note: "software Vulkan (swiftshader)" },
      auto: "cpu",
    });
  });

  it("runs a graph of the facade, whole numbers of 64 bits among it", () => {
    const script = `
      const { build, input } = graph;
      const { Tensor } = await import(${JSON.stringify(new URL("../../kernel/lib/index.js", import.meta.url).href)});
      const compiled = await compile({ y: build.add(input("i", "int64", ["n"]), 1) }, { device: "webgpu" });
      const run = async (...values) => compiled.run({ i: new Tensor("int64", [values.length], BigInt64Array.from(values)) });
      const { y } = await run(5n, -7n);
      return [y.dtype, [...y.numbers()], await run(2n ** 40n).catch((error) => error.message)];`;
    expect(inProcess(vulkan!, script)).toEqual([
      "int64",
      [6, -6],
      'run: input "i": holds 1099511627776 ([1] int64), but this device counts in 32 bits; use device "cpu"',
    ]);
  });
});
