// A JupyterLab of its own with one notebook open in Chromium, for benches of what a reader waits for there.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { launch } from "../gallery/open.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Opens a notebook of these cells; `script` runs in the page before anything else does. */
export async function openLab(cells, { port = 18_877, script } = {}) {
  const address = `http://127.0.0.1:${port}`;
  const server = spawn(process.execPath, [join(root, "tests/ui/server.mjs"), String(port)], { stdio: "inherit" });
  let browser;
  const close = async () => {
    await browser?.close();
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
  };
  try {
    for (let tries = 0; !(await fetch(`${address}/api`).catch(() => undefined))?.ok; tries++) {
      if (tries > 240 || server.exitCode !== null) throw new Error(`bench: no JupyterLab at ${address}`);
      await wait(250);
    }
    const content = {
      cells: cells.map((source, at) => ({
        ...{ cell_type: "code", id: `cell-${at}`, execution_count: null, metadata: {}, source, outputs: [] },
      })),
      metadata: { kernelspec: { name: "attention-lab", display_name: "Attention Lab", language: "typescript" } },
      ...{ nbformat: 4, nbformat_minor: 5 },
    };
    writeFileSync(join(root, ".jupyter-test", String(port), "notebooks", "bench.ipynb"), JSON.stringify(content));
    browser = await launch();
    const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    if (script) await page.addInitScript(script);
    await page.goto(`${address}/lab/tree/bench.ipynb?reset`);
    await page.locator(".jp-Notebook").waitFor();
    await page.locator("#jp-main-statusbar").getByText("| Idle").waitFor({ timeout: 60_000 });
    const command = (id, args = {}) =>
      page.evaluate(([name, given]) => globalThis.jupyterapp.commands.execute(name, given), [id, args]);
    const cell = (at) => page.locator(".jp-CodeCell").nth(at);
    return {
      page,
      command,
      close,
      cell,
      figure: (at) => cell(at).locator(".jp-AttentionHeadGrid"),
      /** Runs a cell; resolves when it has begun to be at work. */
      async run(at) {
        await cell(at).locator(".jp-InputPrompt").click();
        await page.evaluate(() => void globalThis.jupyterapp.commands.execute("notebook:run-cell"));
      },
      live: (at) => cell(at).locator('.jp-AttentionHeadGrid-light[data-state="live"]').waitFor({ timeout: 120_000 }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
