// Everything a clone needs before it can run. Safe to run again: a step whose inputs did not change is skipped.
//   node scripts/setup.mjs [--tests] [--prefix <Python environment>]
import { pathToFileURL } from "node:url";
import { build, install } from "./steps/build.mjs";
import { fetchModel } from "./steps/model.mjs";
import { checkNode, installPackages } from "./steps/node.mjs";
import { installPython } from "./steps/python.mjs";
import { main, seconds, sideBySide } from "./steps/shell.mjs";

/** Sets up the clone and returns the prefix of the Python environment that JupyterLab runs in. */
export async function setup({ withTests = false, prefix } = {}) {
  const start = Date.now();
  console.log(`Attention Lab: setting up (Node ${process.versions.node})`);
  checkNode();
  const [, environment] = await sideBySide(
    async () => {
      await installPackages();
      await build();
    },
    async () => {
      const made = await installPython({ prefix, withTests });
      await fetchModel(made);
      return made;
    },
  );
  await install(environment);
  console.log(`Attention Lab: ready after ${seconds(start)}\n`);
  return environment;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2);
  const at = args.indexOf("--prefix");
  await main(() => setup({ withTests: args.includes("--tests"), prefix: at < 0 ? undefined : args[at + 1] }));
}
