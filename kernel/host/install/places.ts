import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where Jupyter looks for kernels and extensions: `<data>/kernels`, `<data>/labextensions`. */
export type Target =
  { readonly kind: "user" } | { readonly kind: "sysPrefix" } | { readonly kind: "prefix"; readonly prefix: string };

/** Root folder of the package `attention-lab`. */
export const packageFolder: string = fileURLToPath(new URL("../../../", import.meta.url));

/** Name of the folder under `kernels/`, and of the kernel in `jupyter kernelspec list`. */
export const kernelName = "attention-lab";

/** Name of the extension's package, and of its folder under `labextensions/`. */
export const extensionName = "attention-lab-extension";

/** Jupyter's data folder of a target; the user's one follows Jupyter's rules per platform and `JUPYTER_DATA_DIR`. */
export function dataFolder(target: Target): string {
  switch (target.kind) {
    case "prefix":
      return join(target.prefix, "share", "jupyter");
    case "sysPrefix":
      return join(pythonPrefix(), "share", "jupyter");
    case "user":
      return userDataFolder();
  }
}

function userDataFolder(): string {
  if (process.env["JUPYTER_DATA_DIR"]) return process.env["JUPYTER_DATA_DIR"];
  if (process.platform === "darwin") return join(homedir(), "Library", "Jupyter");
  if (process.platform === "win32") return join(process.env["APPDATA"] ?? homedir(), "jupyter");
  return join(process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "jupyter");
}

/** `sys.prefix` of the Python on PATH. */
function pythonPrefix(): string {
  for (const python of ["python3", "python"]) {
    try {
      return execFileSync(python, ["-c", "import sys; print(sys.prefix)"], { encoding: "utf8" }).trim();
    } catch {
      continue;
    }
  }
  throw new Error("install: no Python on PATH, so --sys-prefix has no meaning; use --user or --prefix <folder>");
}

/** The oldest Node on which output of concurrent requests can be told apart (`AsyncLocalStorage` without async hooks). */
const recommendedMajor = 24;

/**
 * The Node that the kernel runs on: this one when it is new enough, otherwise the one that the npm package
 * `node-<platform>-<arch>` carries, otherwise this one.
 */
export function kernelNode(): string {
  if (Number(process.versions.node.split(".")[0]) >= recommendedMajor) return process.execPath;
  const platform = process.platform === "win32" ? "win" : process.platform;
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${platform}-${process.arch}/package.json`);
    return join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
  } catch {
    return process.execPath;
  }
}
