// A Chromium for the browser tests.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, run, SetupError, which } from "./shell.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** CHROME_PATH, one on PATH, Debian's package when root, else Playwright's own download. */
export async function findChromium() {
  const named = process.env.CHROME_PATH;
  if (named) {
    if (!existsSync(named)) throw new SetupError(`CHROME_PATH names ${named}, which does not exist`);
    return named;
  }
  const onPath = () => names.map(which).find(Boolean);
  if (onPath()) return onPath();
  if (process.getuid?.() === 0 && which("apt-get")) {
    console.log("  … installing Debian's chromium");
    await run("apt-get", ["update", "-qq"], { quiet: true });
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], {
      quiet: true,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    if (onPath()) return onPath();
  }
  console.log("  … fetching Playwright's Chromium");
  await run(process.execPath, [join(root, "node_modules/@playwright/test/cli.js"), "install", "chromium"], {
    hint: "No Chromium found. Install one (Debian: sudo apt-get install chromium) or name it with CHROME_PATH.",
  });
  const { chromium } = await import("@playwright/test");
  return chromium.executablePath();
}
