// npm run bench: every benchmark in turn, alone on the machine; the figures belong into docs/benchmarks.md.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const root = join(folder, "..", "..");
const python = join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const wanted = process.argv.slice(2);
const known = [...readdirSync(folder).filter((name) => name.endsWith(".bench.mjs")), "kernels.py"];
const chosen = known.filter((name) => wanted.length === 0 || wanted.some((part) => name.startsWith(part)));
if (chosen.length === 0) {
  console.error(`bench: nothing matches ${wanted.join(" ")}; known: ${known.join(", ")}`);
  process.exit(2);
}
for (const name of chosen) {
  console.log(`\n── ${name}`);
  const runner = name.endsWith(".py") ? python : process.execPath;
  const { status } = spawnSync(runner, [join(folder, name)], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
