// Starts the kernel for the kernelspec that the Python package installs. That package holds no JavaScript libraries,
// so the npm package "attention-lab" is looked for: $ATTENTION_LAB_KERNEL, the notebook's folder upward, npm's global folder.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

function* places() {
  if (process.env.ATTENTION_LAB_KERNEL) yield process.env.ATTENTION_LAB_KERNEL;
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    yield join(folder, "node_modules", "attention-lab");
    if (folder === dirname(folder)) break;
  }
  try {
    const shell = process.platform === "win32";
    yield join(execFileSync("npm", ["root", "-g"], { encoding: "utf8", shell }).trim(), "attention-lab");
  } catch {
    // No npm on PATH: the places above are all there is.
  }
}

const tried = [];
for (const place of places()) {
  const main = join(place, "lib", "host", "jupyter", "main.js");
  tried.push(place);
  if (!existsSync(main)) continue;
  process.argv.splice(1, 1, main);
  await import(pathToFileURL(main).href);
  tried.length = 0;
  break;
}
if (tried.length > 0) {
  console.error(
    `attention-lab: the npm package "attention-lab" was not found; install it with "npm install --global attention-lab" ` +
      `or name its folder in ATTENTION_LAB_KERNEL. Looked in:\n  ${tried.join("\n  ")}`,
  );
  process.exit(1);
}
