// Running commands and telling the person at the terminal what happens.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[\\/]$/, "");
export const isWindows = process.platform === "win32";

/** Something the person has to mend; shown without a stack. */
export class SetupError extends Error {}

export const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * Runs a command with its output shown; rejects with a SetupError that names it. A `quiet` one shows its last `lines`
 * when it fails. An `interactive` one owns the keyboard: Ctrl+C is its to answer, and it ends with us.
 */
export function run(command, args, options = {}) {
  const { env, cwd = root, quiet = false, lines = 30, interactive = false, hint, shell = false } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: quiet ? ["ignore", "pipe", "pipe"] : [interactive ? "inherit" : "ignore", "inherit", "inherit"],
      shell,
    });
    if (interactive) {
      process.on("SIGINT", () => {});
      process.on("SIGTERM", () => child.kill("SIGTERM"));
    }
    let output = "";
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => reject(new SetupError(`${command}: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(output);
      const shown = quiet ? `\n${output.trim().split("\n").slice(-lines).join("\n")}` : "";
      const why = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
      reject(new SetupError(`"${[command, ...args].join(" ")}" ${why}${shown}${hint ? `\n${hint}` : ""}`));
    });
  });
}

/** Does several things side by side; once all have ended, their values, or the first error of any. */
export async function sideBySide(...works) {
  const ended = await Promise.allSettled(works.map((work) => work()));
  const failed = ended.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
  return ended.map(({ value }) => value);
}

/** Standard output of a short command, or undefined when it cannot run. */
export function ask(command, args) {
  const result = spawnSync(command, args, { encoding: "utf8", cwd: root });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Full path of a program on PATH, or undefined. */
export function which(name) {
  const endings = isWindows ? [".exe", ".cmd", ""] : [""];
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      if (folder && existsSync(path)) return path;
    }
  }
  return undefined;
}

/** Files below the given folders and files, in a stable order; missing ones are left out. */
export function filesBelow(paths) {
  const skip = new Set(["node_modules", "lib", "labextension", "__pycache__"]);
  const walk = (path) => {
    if (!existsSync(path)) return [];
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .filter((name) => !skip.has(name))
      .sort()
      .flatMap((name) => walk(join(path, name)));
  };
  return paths.flatMap((path) => walk(join(root, path)));
}

/** A hash of the content of files and of plain values: a step runs again only when it changes. */
export function fingerprint(paths, ...values) {
  const hash = createHash("sha256");
  for (const file of filesBelow(paths)) hash.update(relative(root, file)).update(readFileSync(file));
  for (const value of values) hash.update(JSON.stringify(value));
  return hash.digest("hex");
}

const stampFile = (name) => join(root, ".cache", "stamps", name);
const readStamp = (name) => (existsSync(stampFile(name)) ? readFileSync(stampFile(name), "utf8") : "");

/** Runs `work` unless it succeeded before with the same fingerprint and what it made is still there. */
export async function step(name, print, made, work) {
  if (readStamp(name) === print && made.every((path) => existsSync(path))) {
    console.log(`  ✓ ${name}: up to date`);
    return;
  }
  const start = Date.now();
  console.log(`  … ${name}`);
  await work();
  mkdirSync(dirname(stampFile(name)), { recursive: true });
  writeFileSync(stampFile(name), print);
  console.log(`  ✓ ${name}: ${seconds(start)}`);
}

/** Runs a script's main function; a SetupError ends it with its message and exit code 1. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n✗ ${error.message}`);
    process.exitCode = 1;
  }
}
