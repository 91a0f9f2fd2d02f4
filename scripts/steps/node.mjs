// Node itself and the Node packages.
import { join } from "node:path";
import { fingerprint, isWindows, root, run, SetupError, step } from "./shell.mjs";

/** Refuses a Node that is too old, with the figure. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(
      `Node ${process.versions.node} is too old; expected 20.19 or newer. Install it from your system's packages or with nvm.`,
    );
  }
}

/** Installs exactly what package-lock.json names. */
export function installPackages() {
  const print = fingerprint(["package-lock.json", ".npmrc"], process.platform, process.arch);
  return step("Node packages", print, [join(root, "node_modules", "typescript")], () =>
    run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      // The default install of onnxruntime-node fetches CUDA libraries from outside npm; we use its CPU and WebGPU parts.
      env: { ONNXRUNTIME_NODE_INSTALL: "skip", PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: "1" },
      shell: isWindows,
      hint: "Node packages could not be installed: is the network (or your npm registry mirror) reachable?",
    }),
  );
}
