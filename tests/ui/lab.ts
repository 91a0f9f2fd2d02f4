import { expect, type Locator, type Page } from "@playwright/test";

/** JupyterLab's application object; the test server exposes it. */
interface JupyterApp {
  readonly commands: { execute(command: string, args?: object): Promise<unknown> };
  readonly shell: {
    readonly currentWidget: {
      readonly content: { readonly widgets: readonly { model: { type: string; trusted: boolean } }[] };
    };
  };
}

/** A JupyterLab page with one notebook open, and the words a person would use about it. */
export interface Lab {
  readonly page: Page;
  readonly figure: Locator;
  readonly problems: readonly string[];
  command(id: string, args?: object): Promise<void>;
  runAll(): Promise<void>;
  idle(): Promise<void>;
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
    figure: page.locator(".jp-AttentionRenderer").first(),
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
