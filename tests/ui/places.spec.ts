import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test, type Locator } from "@playwright/test";
import { root } from "../environment.js";
import { labWith } from "./lab.js";

const oracle = (name: string): string => JSON.stringify(join(root, "tests/oracles/models", name));
const cells = [
  `import { load } from "attention-lab";
const model = await load(${oracle("gpt2")});
const run = await model.run({ inputIds: [[5, 6, 7, 8, 9, 10, 11, 12]] });
run`,
  `const pair = await load(${oracle("t5")});
await pair.run({ inputIds: [[5, 6, 7, 8, 9, 1]], decoderInputIds: [[0, 7, 9, 11]] })`,
];

const notebook = labWith("places.ipynb", cells);
const figure = (at = 0): Locator => notebook.lab.output(at).locator(".jp-AttentionHeadGrid");
const head = (scope: Locator, layer: number, at: number): Locator =>
  scope.locator(`[data-layer="${layer}"][data-head="${at}"]`);
const inspector = (): Locator => notebook.lab.page.locator(".jp-AttentionInspector");
const tab = (): Locator => notebook.lab.page.locator(".jp-MainAreaWidget .jp-mod-tab");

/** Serious faults that axe finds in a part of the page. */
async function faultsOf(selector: string): Promise<readonly string[]> {
  const { page } = notebook.lab;
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
  return page.evaluate(async (within) => {
    interface Axe {
      run(
        context: string,
      ): Promise<{ violations: readonly { id: string; impact: string; nodes: readonly { html: string }[] }[] }>;
    }
    const { violations } = await (window as unknown as { axe: Axe }).axe.run(within);
    return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html.slice(0, 200)}`);
  }, selector);
}

test("the kinds of attention of an encoder–decoder model have a tab each, by keys too", async () => {
  const { lab } = notebook;
  await lab.runAll();
  const tabs = lab.output(1).getByRole("tab");
  await expect(tabs).toHaveText(["encoder", "decoder", "cross"]);
  await tabs.first().focus();
  await lab.page.keyboard.press("ArrowRight");
  await lab.page.keyboard.press("ArrowRight");
  await expect(tabs.nth(2)).toBeFocused();
  await expect(tabs.nth(2)).toHaveAttribute("aria-selected", "true");
  await expect(lab.output(1).getByRole("tabpanel")).toHaveAttribute("aria-label", "cross");
  await expect(figure(1).locator(".jp-AttentionHeadGrid-light")).toHaveAttribute("data-state", "live");
  await head(figure(1), 1, 1).click();
  await figure(1).getByRole("button", { name: "Ablate" }).click();
  await expect(figure(1).locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L1.H1: zero output");
  await tabs.nth(0).click();
  await expect(figure(1).locator(".jp-AttentionHeadEffect")).toBeHidden();
  await tabs.nth(2).click();
  await expect(figure(1).locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L1.H1: zero output");
  await figure(1).evaluate((node) => node.scrollIntoView({ block: "center" }));
  await lab.picture("head-grids-light");
});

test("commands take arguments: show a head, ablate a head", async () => {
  const { lab } = notebook;
  await head(figure(), 0, 0).focus();
  await lab.command("attention:show-head", { layer: 2, head: 3 });
  await expect(figure().locator(".jp-AttentionFocus-name")).toHaveText("L2.H3");
  await head(figure(), 2, 3).focus();
  await lab.command("attention:ablate-head", { layer: 0, head: 1, mode: "uniform" });
  await expect(figure().locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L0.H1: even attention");
  await lab.command("attention:show-head", { layer: 99 });
  await expect(figure().locator(".jp-AttentionFocus-name")).toHaveText("L0.H1");
});

test("the inspector follows the head that is chosen in a figure", async () => {
  const { lab } = notebook;
  await head(figure(), 1, 0).click();
  await lab.page.locator('.jp-NotebookPanel-toolbar [data-jp-item-name="attention-inspector"] jp-button').click();
  await expect(inspector().locator(".jp-AttentionFocus-name")).toHaveText("L1.H0");
  await head(figure(), 2, 1).click();
  await expect(inspector().locator(".jp-AttentionFocus-name")).toHaveText("L2.H1");
  await expect(inspector().locator(".jp-AttentionHeadEffect-history button")).toHaveCount(1);
  await lab.picture("inspector-light");
  await lab.command("attention:toggle-inspector");
  await expect(inspector()).toBeHidden();
});

test("a figure opens in a tab of its own, linked with the kernel and the notebook", async () => {
  const { lab } = notebook;
  await head(figure(), 1, 2).focus();
  await lab.command("attention:open-in-tab");
  await expect(tab().locator(".jp-AttentionGrid-canvas")).toBeVisible();
  await head(tab(), 1, 3).click();
  await expect(figure().locator(".jp-AttentionFocus-name")).toHaveText("L1.H3");
  await tab().getByRole("button", { name: "Ablate" }).click();
  await expect(tab().locator(".jp-AttentionHeadEffect-history button")).toHaveCount(2);
  await expect(figure().locator(".jp-AttentionHeadEffect-history button")).toHaveCount(2);
  await lab.picture("figure-in-tab-light");
  await lab.command("application:close");
  await expect(tab()).toHaveCount(0);
});

test("axe finds no fault, and every control has a name and a role", async () => {
  expect(await faultsOf(".jp-AttentionRenderer")).toEqual([]);
  const scope = figure();
  await expect(scope.getByRole("grid", { name: /^Attention heads/ })).toBeVisible();
  await expect(scope.getByRole("gridcell", { name: /^Layer 2, head 3: entropy/ })).toBeVisible();
  await expect(scope.getByRole("combobox", { name: "How the head is taken out" })).toBeVisible();
  await expect(scope.getByRole("group", { name: "Effects of ablated heads" })).toBeVisible();
  await expect(scope.locator('[aria-live="polite"]')).toHaveCount(1);
});

test("it lives through every windowing mode", async () => {
  const { lab } = notebook;
  for (const mode of ["full", "defer", "contentVisibility", "none"]) {
    await lab.page.evaluate((windowingMode) => {
      interface Panel {
        readonly content: { notebookConfig: object };
      }
      const { jupyterapp } = window as unknown as { jupyterapp: { shell: { currentWidget: Panel } } };
      const { content } = jupyterapp.shell.currentWidget;
      content.notebookConfig = { ...content.notebookConfig, windowingMode };
    }, mode);
    await figure(1).evaluate((node) => node.scrollIntoView({ block: "end" }));
    await figure().evaluate((node) => node.scrollIntoView({ block: "center" }));
    await expect(figure().locator(".jp-AttentionFocus-canvas"), mode).toBeVisible();
    const width = await figure()
      .locator(".jp-AttentionFocus-canvas")
      .evaluate((node) => (node as HTMLCanvasElement).width);
    expect(width, mode).toBeGreaterThan(100);
    await expect(figure().locator(".jp-AttentionHeadGrid-light"), mode).toHaveAttribute("data-state", "live");
  }
});

test("in the dark, and in a narrow window, nothing is cut off", async () => {
  const { lab } = notebook;
  await lab.theme("JupyterLab Dark");
  for (const [name, width] of [
    ["wide", 1400],
    ["narrow", 760],
  ] as const) {
    // prettier-ignore
    await lab.page.setViewportSize({ width, height: 1000 });
    for (const [at, what] of ["ablation", "head-grids"].entries()) {
      await figure(at).evaluate((node) => node.scrollIntoView({ block: "start" }));
      await lab.picture(`${what}-dark-${name}`);
      const overflow = await figure(at).evaluate((node) => node.scrollWidth - node.clientWidth);
      expect(overflow, `${what} ${name}`).toBeLessThanOrEqual(0);
    }
  }
  await lab.theme("JupyterLab Light");
  await figure().evaluate((node) => node.scrollIntoView({ block: "start" }));
  await lab.picture("ablation-light-narrow");
  await lab.page.setViewportSize({ width: 1400, height: 1000 });
});

test("the context menu of a figure holds its commands, and they act on it", async () => {
  const { page } = notebook.lab;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const command = async (name: string): Promise<void> => {
    await figure().locator(".jp-AttentionHeadGrid-title").click({ button: "right" });
    await page.locator(".lm-Menu .lm-Menu-itemLabel").getByText(name, { exact: true }).click();
  };
  const palette = figure().getByRole("combobox", { name: "Palette" });
  await expect(palette).toHaveValue("viridis");
  await command("Next Palette");
  await expect(palette).toHaveValue("cividis");
  await command("View Figure as Table");
  await expect(figure().getByRole("table").first()).toBeVisible();
  await command("View Figure as Table");
  await command("Copy Figure as SVG");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/^<svg /);
  await figure().locator(".jp-AttentionHeadGrid-title").click({ button: "right" });
  const menu = page.locator(".lm-Menu");
  for (const name of [
    "Ablate Head",
    "Open Figure in New Tab",
    "Copy Figure as PNG",
    "Save Figure as PDF…",
    "Save Numbers as CSV…",
    "Switch Colour Scale",
  ])
    // prettier-ignore
    await expect(menu.getByText(name, { exact: true })).toBeVisible();
  await notebook.lab.picture("context-menu-light");
  await page.keyboard.press("Escape");
});

test("the settings say how new figures look: palette, scale, size, digits", async () => {
  const { lab } = notebook;
  await lab.command("settingeditor:open", { query: "Attention Lab" });
  const form = lab.page.locator(".jp-SettingsForm");
  for (const [at, choice] of ["greys", "linear", "small"].entries())
    await form.getByRole("combobox").nth(at).selectOption({ label: choice });
  await form.getByRole("spinbutton").fill("7");
  await expect(lab.page.locator("body")).toHaveAttribute("data-attention-digits", "7");
  await lab.picture("settings-light");
  await lab.command("application:close");
  await lab.cell(0).locator(".jp-InputPrompt").click();
  await lab.command("notebook:run-cell");
  await expect(figure().getByRole("combobox", { name: "Palette" })).toHaveValue("greys");
  await expect(figure().getByRole("combobox", { name: "Colour scale" })).toHaveValue("linear");
  // A small head is 96 pixels wide, where there is room.
  expect(await head(figure(), 0, 0).evaluate((node) => node.getBoundingClientRect().width)).toBe(96);
  await head(figure(), 1, 2).click();
  await figure()
    .locator(".jp-AttentionFocus-matrix")
    .hover({ position: { x: 12, y: 40 } });
  await expect(figure().locator(".jp-AttentionReading-weight")).toHaveText(/^0\.0*[1-9]\d{6}$/);
  await lab.command("settingeditor:open", { query: "Attention Lab" });
  await lab.page.getByRole("button", { name: "Restore to Defaults" }).click();
  await expect(lab.page.locator("body")).toHaveAttribute("data-attention-palette", "viridis");
  await lab.command("application:close");
});

test("a card of the launcher opens a notebook that shows the heads of a model", async () => {
  const { lab } = notebook;
  await lab.command("launcher:create");
  await lab.page.locator('.jp-LauncherCard[title*="attention heads"]').click();
  await expect(lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .cm-content").first()).toContainText(
    'load("all-MiniLM-L6-v2")',
  );
});

test("nothing went wrong on the page", () => expect(notebook.lab.problems).toEqual([]));
