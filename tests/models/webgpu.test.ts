import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { files } from "../../kernel/lib/host/files.js";
import { decodePicture } from "../../kernel/lib/host/pictures.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import type { Model } from "../../kernel/lib/models/index.js";
import { loadModel } from "../../kernel/lib/models/index.js";
import type { Tensor } from "../../kernel/lib/tensor/index.js";
import { ChildThread } from "../devices/childThread.js";
import { softwareVulkan, webgpuTitle } from "../devices/softwareVulkan.js";
import { inputOf, maxAbsDiff, readOracle } from "./oracle.js";

const vulkan = softwareVulkan();

async function loadOn(engine: OrtEngine, folder: string): Promise<Model> {
  const host = {
    files,
    engine: async () => Promise.resolve(engine),
    modelFolders: () => [],
    hubFolder: () => "",
    download: async () => Promise.reject(new Error("no hub here")),
    interruptSignal: () => undefined,
    decodePicture,
    versions: () => ({ onnxruntime: "", attentionLab: "" }),
  };
  return loadModel(host, folder);
}

describe.skipIf(!vulkan)(webgpuTitle("models", vulkan), () => {
  let thread: ChildThread;
  let gpu: OrtEngine;
  beforeAll(() => {
    thread = new ChildThread(vulkan!);
    gpu = new OrtEngine("webgpu", { thread });
  });
  afterAll(() => thread.end());

  // Absolute positions, rotary positions with shared keys, and an encoder.
  it.each(["gpt2", "llama_rope3", "bert"])("%s agrees with the CPU", async (name) => {
    const oracle = await readOracle(name);
    const [cpu, webgpu] = [await loadOn(new OrtEngine("cpu"), oracle.folder), await loadOn(gpu, oracle.folder)];
    expect([webgpu.device, cpu.device]).toEqual(["webgpu", "cpu"]);
    const [expected, got] = [await cpu.run(inputOf(oracle)), await webgpu.run(inputOf(oracle))];
    const kept = cpu.addresses.filter((address) => /logits$|pattern$/.test(address));
    expect(kept.length).toBeGreaterThan(2);
    for (const address of kept) expect(maxAbsDiff(got.at(address), expected.at(address)), address).toBeLessThan(1e-4);
    await Promise.all([cpu.dispose(), webgpu.dispose()]);
  });

  it("gradients agree with the CPU", async () => {
    const { folder, ...oracle } = await readOracle("gpt2");
    const options = { of: "loss" as const, at: ["blocks.0.attn.pattern"] };
    const on = async (engine: OrtEngine): Promise<Tensor> => {
      const model = await loadOn(engine, folder);
      return (await model.gradients(inputOf({ folder, ...oracle }), options)).at(options.at[0]);
    };
    expect(maxAbsDiff(await on(gpu), await on(new OrtEngine("cpu")))).toBeLessThan(1e-4);
  });
});
