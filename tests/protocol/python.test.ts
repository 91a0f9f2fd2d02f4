import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, venvProgram } from "../environment.js";
import { kernelProgram, preferredNode } from "./client.js";

const python = venvProgram("python");
const data = mkdtempSync(join(tmpdir(), "attention-lab-"));

beforeAll(() => {
  const { status, stderr } = spawnSync(python, ["-c", "import jupyter_console, jupyter_kernel_test, nbclient"], {
    encoding: "utf8",
  });
  if (status !== 0)
    throw new Error(`.venv lacks what these tests need; run: node scripts/setup.mjs --tests\n${stderr}`);
  const folder = join(data, "kernels", "attention-lab-under-test");
  mkdirSync(folder, { recursive: true });
  const argv = [preferredNode, "--no-force-async-hooks-checks", kernelProgram, "{connection_file}"];
  const spec = { argv, display_name: "under test", language: "typescript", interrupt_mode: "message" };
  writeFileSync(join(folder, "kernel.json"), JSON.stringify(spec));
});
afterAll(() => rmSync(data, { recursive: true, force: true }));

/** The environment's jupyter_client, and the oldest that must work; setup puts that one into a folder of its own. */
const clients = [
  ["8.", {}],
  ["7.4.", { PYTHONPATH: join(root, ".cache", "jupyter_client-7.4") }],
] as const;

const run = (
  script: string,
  more: Readonly<Record<string, string>>,
): { readonly status: number | null; readonly stderr: string } => {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const env = { ...process.env, JUPYTER_PATH: data, ATTENTION_LAB_KERNEL: "attention-lab-under-test", ...more };
  return spawnSync(python, [file, "-v"], { env, encoding: "utf8", timeout: 280_000 });
};

describe.each(clients)("with jupyter_client %s", (version, env) => {
  test("it is the one that is meant", () => {
    const { stdout } = spawnSync(python, ["-c", "import jupyter_client; print(jupyter_client.__version__)"], {
      env: { ...process.env, ...env },
      encoding: "utf8",
    });
    expect(stdout.startsWith(version)).toBe(true);
  });

  test("the published jupyter_kernel_test passes, welcome included", () => {
    const { status, stderr } = run("./kernelTest.py", env);
    expect(stderr).not.toContain("FAIL");
    // The pager is a feature of Python kernels; nothing else may be skipped.
    expect(stderr.match(/\.\.\. skipped/g)?.length ?? 0).toBe(1);
    expect(status).toBe(0);
  }, 300_000);

  test("nbclient and jupyter_client run, interrupt and restart it", () => {
    const { status, stderr } = run("./clientsTest.py", env);
    expect(stderr).not.toContain("FAIL");
    expect(status).toBe(0);
  }, 300_000);
});

test("jupyter console runs cells, prints, shows errors and goes on", () => {
  const { status, stderr } = run("./consoleTest.py", {});
  expect([status, stderr]).toEqual([0, ""]);
}, 300_000);
