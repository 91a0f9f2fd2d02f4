// npm run cuda: the CUDA libraries of onnxruntime-node, by its own install script, which setup leaves out: they come from
// NuGet, not from npm, and are of use only with an NVIDIA card. Then the card is tried.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { main, root, run, SetupError } from "./steps/shell.mjs";

await main(async () => {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new SetupError(
      `CUDA comes for Linux on x64 only, this is ${process.platform} on ${process.arch}; use the device "webgpu"`,
    );
  }
  const [installer, library] = [
    join(root, "node_modules/onnxruntime-node/script/install.js"),
    join(root, "kernel/lib/host/devices.js"),
  ];
  for (const path of [installer, library])
    if (!existsSync(path)) throw new SetupError(`no ${path}; run npm run setup first`);
  await run(process.execPath, [installer], {
    env: { ONNXRUNTIME_NODE_INSTALL: "true" },
    hint: "The CUDA libraries could not be fetched: is nuget.org reachable? GLOBAL_AGENT_HTTPS_PROXY names a proxy.",
  });
  const { devices } = await import("../kernel/lib/host/devices.js");
  const { usable, note } = (await devices()).find(({ name }) => name === "cuda");
  if (!usable) throw new SetupError(`the libraries are there, but the card cannot be used: ${note}`);
  console.log(`✓ cuda: ${note}`);
});
