import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Device } from "../devices.js";
import { versions } from "../versions.js";
import { dataFolder, extensionName, kernelName, kernelNode, packageFolder } from "./places.js";
import type { Target } from "./places.js";

/** One thing looked at: `fix` is absent when it is in order. */
export interface Finding {
  readonly name: string;
  readonly found: string;
  readonly fix?: string;
}

const ask = (command: string, args: readonly string[]): string | undefined => {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
};

function versionFinding(): Finding {
  const { attentionLab, onnxruntime } = versions();
  return { name: "Attention Lab", found: `${attentionLab}, onnxruntime ${onnxruntime}` };
}

function nodeFindings(): Finding[] {
  const version = ask(kernelNode(), ["--version"]) ?? "does not start";
  const old = !(Number(version.slice(1).split(".")[0]) >= 24);
  const fix =
    "install Node 24, or the npm package node-<platform>-<arch>; on older versions late output is attributed to the last cell";
  return [{ name: "Node of the kernel", found: `${version} (${kernelNode()})`, ...(old ? { fix } : {}) }];
}

function nativeFindings(): Finding[] {
  const require = createRequire(import.meta.url);
  return ["zeromq", "onnxruntime-node", "@resvg/resvg-js"].map((name) => {
    try {
      require(name);
      return { name, found: "loads" };
    } catch (error) {
      return { name, found: error instanceof Error ? error.message : String(error), fix: "run npm install again" };
    }
  });
}

/** The devices of onnxruntime; those that it lists but cannot use are no problem. */
async function deviceFinding(): Promise<Finding> {
  try {
    const { devices } = await import("../devices.js");
    const found = await devices();
    const memory = ({ memoryBytes }: Device): string =>
      memoryBytes === undefined ? "" : `, ${(memoryBytes / 1e9).toFixed(0)} GB`;
    const shown = found
      .map((device) => {
        const { name, usable, note, dtypes } = device;
        return `${name} (${usable ? `${note}${memory(device)}, ${dtypes.join(" and ")}` : `not usable: ${note}`})`;
      })
      .join(", ");
    const isUsable = found.some(({ usable }) => usable);
    return { name: "devices", found: shown || "none", ...(isUsable ? {} : { fix: "run npm install again" }) };
  } catch (error) {
    return {
      name: "devices",
      found: error instanceof Error ? error.message : String(error),
      fix: "run npm install again",
    };
  }
}

const oldestPython = 10;

function pythonFinding(): Finding {
  const prints = "import sys; print(sys.version.split()[0], sys.executable)";
  const found = ask("python3", ["-c", prints]) ?? ask("python", ["-c", prints]);
  if (found === undefined)
    return { name: "Python", found: "not on PATH", fix: "install Python 3.10 or newer: JupyterLab needs it" };
  const [version = "", ...path] = found.split(" ");
  const [major, minor] = version.split(".").map(Number);
  const isOld = !(major === 3 && (minor ?? 0) >= oldestPython);
  const fix = "install Python 3.10 or newer, and JupyterLab into it";
  return { name: "Python", found: `${version} (${path.join(" ")})`, ...(isOld ? { fix } : {}) };
}

function jupyterFindings(target: Target): Finding[] {
  const lab = ask("jupyter", ["lab", "--version"]);
  const kernelFile = join(dataFolder(target), "kernels", kernelName, "kernel.json");
  const extensionFile = join(dataFolder(target), "labextensions", extensionName, "package.json");
  const kernelMain = existsSync(kernelFile)
    ? (JSON.parse(readFileSync(kernelFile, "utf8")) as { argv: string[] }).argv.find((part) => part.endsWith(".js"))
    : undefined;
  const installFix = "run attention-lab install with the same --user, --sys-prefix or --prefix";
  return [
    { name: "JupyterLab", found: lab ?? "not on PATH", ...(lab ? {} : { fix: "pip install jupyterlab==4.6.4" }) },
    kernelMain === undefined
      ? { name: "kernelspec", found: `none at ${kernelFile}`, fix: installFix }
      : existsSync(kernelMain)
        ? { name: "kernelspec", found: kernelFile }
        : { name: "kernelspec", found: `starts ${kernelMain}, which is gone`, fix: installFix },
    existsSync(extensionFile)
      ? { name: "JupyterLab extension", found: extensionFile }
      : { name: "JupyterLab extension", found: `none at ${extensionFile}`, fix: installFix },
  ];
}

function diskFinding(): Finding {
  const { bavail, bsize } = statfsSync(packageFolder);
  const gigabytes = (bavail * bsize) / 1e9;
  const fix = "free some space: models are read from disk and weights are cached there";
  return { name: "disk", found: `${gigabytes.toFixed(1)} GB free`, ...(gigabytes < 1 ? { fix } : {}) };
}

/** Looks at everything the kernel needs and says how to mend what is wrong. */
export async function doctor(target: Target): Promise<readonly Finding[]> {
  return [
    versionFinding(),
    ...nodeFindings(),
    ...nativeFindings(),
    await deviceFinding(),
    pythonFinding(),
    ...jupyterFindings(target),
    diskFinding(),
  ];
}
