import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root folder of the checkout. */
export const root: string = fileURLToPath(new URL("..", import.meta.url));

const programs = process.platform === "win32" ? "Scripts" : "bin";

/** A program of the virtual environment that `npm run setup` makes. */
export function venvProgram(name: string): string {
  const path = join(root, ".venv", programs, name);
  if (!existsSync(path)) throw new Error(`no ${name} in .venv; run: node scripts/setup.mjs --tests`);
  return path;
}
