// TypeScript → JavaScript, the labextension, and both installed into a Python environment.
import { join } from "node:path";
import { fingerprint, root, run, step } from "./shell.mjs";

const bin = (name) => join(root, "node_modules", ...name.split("/"));
const sources = [
  "kernel",
  "extension",
  "style",
  "package.json",
  "package-lock.json",
  "tsconfig.base.json",
  "tsconfig.json",
];

/** Compiles the kernel and the extension. The tests' project is checked by `npm test`, not built here. */
export function build() {
  const made = ["kernel/lib/index.js", "kernel/lib/host/jupyter/main.js", "extension/labextension/package.json"];
  return step(
    "build",
    fingerprint(sources),
    made.map((path) => join(root, path)),
    async () => {
      await run(process.execPath, [
        bin("typescript/bin/tsc"),
        "--build",
        "kernel/tsconfig.host.json",
        "extension/tsconfig.json",
      ]);
      await run(
        process.execPath,
        [
          bin("@jupyter/builder/lib/build-labextension.js"),
          "--core-package-file",
          bin("@jupyterlab/core-meta/core.package.json"),
          root,
        ],
        { quiet: true },
      );
    },
  );
}

/** Puts the kernelspec and the labextension under `<prefix>/share/jupyter`. */
export function install(prefix) {
  const spec = join(prefix, "share", "jupyter", "kernels", "attention-lab", "kernel.json");
  const lab = join(prefix, "share", "jupyter", "labextensions", "attention-lab-extension", "package.json");
  return step("kernel and extension in JupyterLab", fingerprint(sources, prefix, process.version), [spec, lab], () =>
    run(process.execPath, [join(root, "kernel/bin/attention-lab.js"), "install", "--prefix", prefix], { quiet: true }),
  );
}
