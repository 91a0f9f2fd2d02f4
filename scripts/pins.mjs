// Writes package.json's "overrides" from JupyterLab's own list of versions, so that npm never mixes two releases.
// Usage: node scripts/pins.mjs <path to @jupyterlab/core-meta/core.package.json>
import { readFileSync, writeFileSync } from "node:fs";

const source = process.argv[2] ?? "node_modules/@jupyterlab/core-meta/core.package.json";
const core = JSON.parse(readFileSync(source, "utf8"));
const exact = (range) => range.replace(/^[~^]/, "");
const wanted = { ...core.dependencies, ...core.resolutions };
const target = JSON.parse(readFileSync("package.json", "utf8"));

// The newest bundler whose builds for every platform are published; a lockfile that lacks one fails in npm ci.
target.overrides = { "@rspack/core": "2.2.9" };
for (const name of Object.keys(wanted).sort()) {
  if (!name.startsWith("@jupyterlab/")) continue;
  target.overrides[name] = name in target.dependencies ? `$${name}` : exact(wanted[name]);
}
writeFileSync("package.json", `${JSON.stringify(target, null, 2)}\n`);
console.log(`pinned ${Object.keys(target.overrides).length} packages from ${source}`);
