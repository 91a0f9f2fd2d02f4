import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test, type Browser, type Locator, type Page } from "@playwright/test";
import { root } from "../environment.js";
import { writeNotebook } from "./notebookFile.js";

const pictures = join(root, "test-results", "pictures");

/** JupyterLab's application object; the test server exposes it. */
interface JupyterApp {
  readonly commands: { execute(command: string, args?: object): Promise<unknown> };
  readonly shell: {
    readonly currentWidget: {
      readonly content: { readonly widgets: readonly { model: { type: string; trusted: boolean } }[] };
      readonly sessionContext: { readonly session: { readonly kernel: { restart(): Promise<void> } } };
    };
  };
}

/** A JupyterLab page with one notebook open, and the words a person would use about it. */
export interface Lab {
  readonly page: Page;
  readonly figure: Locator;
  /** A code cell by its number from 0, and its outputs. */
  cell(at: number): Locator;
  output(at: number): Locator;
  /** A picture of the page, in test-results. */
  picture(name: string): Promise<void>;
  readonly problems: readonly string[];
  command(id: string, args?: object): Promise<void>;
  runAll(): Promise<void>;
  idle(): Promise<void>;
  /** Restarts the kernel, without the question that the menu asks. */
  restartKernel(): Promise<void>;
  /** Whether JupyterLab trusts every code cell. */
  trusted(): Promise<boolean>;
  theme(name: "JupyterLab Light" | "JupyterLab Dark" | "JupyterLab Dark High Contrast"): Promise<void>;
}

/** Complaints of JupyterLab itself that have nothing to do with us: its debugger asks kernels that have none. */
const notOurs = [/No active debugger session/, /favicon/, /Failed to load resource/];

/** Opens a notebook and waits until its kernel is idle. Errors on the page are collected in `problems`. */
export async function openNotebook(page: Page, name: string): Promise<Lab> {
  const problems: string[] = [];
  const note = (text: string): void => {
    if (!notOurs.some((pattern) => pattern.test(text))) problems.push(text);
  };
  page.on("pageerror", (error) => note(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") note(message.text());
  });
  await page.goto(`/lab/tree/${name}?reset`);
  await page.locator(".jp-Notebook").waitFor();

  const lab: Lab = {
    page,
    problems,
    figure: page
      .locator(".jp-AttentionRenderer")
      .filter({ has: page.locator(".jp-AttentionHeadGrid") })
      .first(),
    cell: (at) => page.locator(".jp-CodeCell").nth(at),
    output: (at) => lab.cell(at).locator(".jp-Cell-outputArea"),
    async picture(name) {
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, `${name}.png`) });
    },
    async command(id, args = {}) {
      await page.evaluate(
        async ([command, given]) => {
          const { jupyterapp } = window as unknown as { jupyterapp: JupyterApp };
          await jupyterapp.commands.execute(command, given);
        },
        [id, args] as const,
      );
    },
    async runAll() {
      await page.getByRole("menuitem", { name: "Run", exact: true }).click();
      await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
      await expect(page.locator(".jp-CodeCell .jp-InputPrompt").last()).toHaveText(/\[\d+\]/, { timeout: 60_000 });
      await lab.idle();
    },
    async idle() {
      await expect(page.locator("#jp-main-statusbar")).toContainText("Attention Lab (TypeScript) | Idle", {
        timeout: 60_000,
      });
    },
    restartKernel: () =>
      page.evaluate(async () => {
        const { jupyterapp } = window as unknown as { jupyterapp: JupyterApp };
        await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart();
      }),
    trusted: () =>
      page.evaluate(() => {
        const { jupyterapp } = window as unknown as { jupyterapp: JupyterApp };
        const models = jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => model);
        return models.every(({ type, trusted }) => type !== "code" || trusted);
      }),
    async theme(theme) {
      await lab.command("apputils:change-theme", { theme });
      await expect(page.locator("body")).toHaveAttribute("data-jp-theme-name", theme);
      await expect(page.locator("#jupyterlab-splash")).toHaveCount(0);
    },
  };
  await lab.idle();
  await lab.command("application:toggle-left-area");
  return lab;
}

/** Red, green and blue of one pixel of a canvas, at a place given as shares 0…1 of its size. */
export function pixelAt(canvas: Locator, across: number, down: number): Promise<readonly number[]> {
  return canvas.evaluate(
    (node, [x, y]) => {
      const { width, height } = node as HTMLCanvasElement;
      const context = (node as HTMLCanvasElement).getContext("2d")!;
      return [...context.getImageData(Math.floor(x * width), Math.floor(y * height), 1, 1).data].slice(0, 3);
    },
    [across, down] as const,
  );
}

/** One page for all tests of a file, which run in order on a notebook of these cells. Call it at the top of the file. */
export function labWith(name: string, cells: readonly string[]): { readonly lab: Lab } {
  const opened: { lab: Lab } = { lab: undefined as unknown as Lab };
  test.describe.configure({ mode: "serial" });
  test.beforeAll(async ({ browser }: { browser: Browser }) => {
    writeNotebook(name, cells);
    opened.lab = await openNotebook(await browser.newPage(), name);
  });
  test.afterAll(() => opened.lab.page.close());
  return opened;
}
