import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";
import { port, ports } from "./notebookFile.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** JupyterLab from .venv on a copy of the notebooks, one for each worker, driven in an installed Chromium (CHROME_PATH). */
export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.ts",
  outputDir: `${root}/test-results/ui-${ports[0]}`,
  workers: ports.length,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  retries: 0,
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1400, height: 1000 },
    video: "off",
    trace: "retain-on-failure",
    launchOptions: {
      ...(process.env["CHROME_PATH"] ? { executablePath: process.env["CHROME_PATH"] } : {}),
      args: [
        ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-lcd-text", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ],
    },
  },
  webServer: ports.map((each) => ({
    command: `node ${root}/tests/ui/server.mjs ${each}`,
    url: `http://127.0.0.1:${each}/api`,
    timeout: 120_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: "SIGTERM", timeout: 10_000 },
  })),
});
