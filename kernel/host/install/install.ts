import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataFolder, extensionName, kernelName, kernelNode, packageFolder } from "./places.js";
import type { Target } from "./places.js";

/** Folders written or removed. */
export interface Installed {
  readonly kernel: string;
  readonly extension: string | undefined;
}

/** The built extension lies beside the package in a checkout. */
const extensionSource: string = join(packageFolder, "..", "extension", "labextension");

function places(target: Target): { readonly kernel: string; readonly extension: string } {
  const data = dataFolder(target);
  return { kernel: join(data, "kernels", kernelName), extension: join(data, "labextensions", extensionName) };
}

/**
 * Writes the kernelspec, which starts the kernel from this package, and copies the built JupyterLab extension if it lies
 * beside the package. Running it again replaces both.
 */
export function install(target: Target): Installed {
  const { kernel, extension } = places(target);
  rmSync(kernel, { recursive: true, force: true });
  mkdirSync(kernel, { recursive: true });
  const spec = join(packageFolder, "spec");
  for (const logo of ["logo-svg.svg", "logo-32x32.png", "logo-64x64.png"]) cpSync(join(spec, logo), join(kernel, logo));
  const template = JSON.parse(readFileSync(join(spec, "kernel.json"), "utf8")) as { argv: string[] };
  const main = join(packageFolder, "lib", "host", "jupyter", "main.js");
  const argv = [kernelNode(), ...template.argv.slice(1, -2), main, "{connection_file}"];
  writeFileSync(join(kernel, "kernel.json"), `${JSON.stringify({ ...template, argv }, null, 2)}\n`);

  if (!existsSync(join(extensionSource, "package.json"))) return { kernel, extension: undefined };
  rmSync(extension, { recursive: true, force: true });
  cpSync(extensionSource, extension, { recursive: true });
  const note = { packageManager: "npm", packageName: extensionName, uninstallInstructions: "attention-lab uninstall" };
  writeFileSync(join(extension, "install.json"), `${JSON.stringify(note, null, 2)}\n`);
  return { kernel, extension };
}

/** Removes what `install` wrote; what is not there is no error. */
export function uninstall(target: Target): Installed {
  const { kernel, extension } = places(target);
  rmSync(kernel, { recursive: true, force: true });
  rmSync(extension, { recursive: true, force: true });
  return { kernel, extension };
}
