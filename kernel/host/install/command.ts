import { parseArgs } from "node:util";
import { doctor } from "./doctor.js";
import { install, uninstall } from "./install.js";
import type { Target } from "./places.js";

const usage = `usage: attention-lab <install | uninstall | doctor> [--user | --sys-prefix | --prefix <folder>]

  install     kernelspec and JupyterLab extension into Jupyter's data folder (default: --user)
  uninstall   removes both
  doctor      looks at versions, Node, native packages, devices, Python, JupyterLab, kernelspec, extension and disk;
              names the fix for each problem`;

function targetOf(values: { user?: boolean; "sys-prefix"?: boolean; prefix?: string }): Target {
  const chosen = [values.user, values["sys-prefix"], values.prefix !== undefined].filter(Boolean).length;
  if (chosen > 1) throw new Error("attention-lab: --user, --sys-prefix and --prefix exclude each other");
  if (values.prefix !== undefined) return { kind: "prefix", prefix: values.prefix };
  return values["sys-prefix"] ? { kind: "sysPrefix" } : { kind: "user" };
}

/** Runs the command line `attention-lab …`; returns the exit code: 1 for a problem found, 2 for a wrong call. */
export async function runCommand(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { user: { type: "boolean" }, "sys-prefix": { type: "boolean" }, prefix: { type: "string" } },
    });
    return await act(positionals[0], targetOf(values));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
}

async function act(verb: string | undefined, target: Target): Promise<number> {
  switch (verb) {
    case "install": {
      const { kernel, extension } = install(target);
      console.log(`kernel     ${kernel}\nextension  ${extension ?? "not built, so not installed"}`);
      return 0;
    }
    case "uninstall": {
      const { kernel, extension } = uninstall(target);
      console.log(`removed ${kernel}\nremoved ${extension ?? ""}`);
      return 0;
    }
    case "doctor": {
      const findings = await doctor(target);
      for (const { name, found, fix } of findings) {
        console.log(`${fix ? "✗" : "✓"} ${name}: ${found}${fix ? `\n    → ${fix}` : ""}`);
      }
      return findings.some(({ fix }) => fix) ? 1 : 0;
    }
    default:
      throw new Error(`attention-lab: unknown command ${JSON.stringify(verb ?? "")}`);
  }
}
