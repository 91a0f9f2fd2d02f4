// Compiles the kernel and the labextension, and installs them into .venv when there is one.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, install } from "./steps/build.mjs";
import { main, root } from "./steps/shell.mjs";

await main(async () => {
  await build();
  const venv = join(root, ".venv");
  if (existsSync(venv)) await install(venv);
});
