import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { root } from "../environment.js";

test("Notebook 7 runs a cell and shows the head grid, live; keys ablate a head; a restarted kernel leaves the saved figure", async ({
  page,
}) => {
  const problems: string[] = [];
  // Notebook 7 has complaints of its own, about its debugger and its settings; ours would come from our files.
  page.on("pageerror", ({ stack = "" }) => {
    if (stack.includes("attention-lab-extension")) problems.push(stack);
  });
  await page.goto("/notebooks/01-first-look.ipynb");
  await page.locator(".jp-Notebook").waitFor();
  await expect(page.locator(".jp-NotebookKernelStatus, .jp-NotebookKernelLogo").first()).toBeVisible();
  await page.getByRole("menuitem", { name: "Run", exact: true }).click();
  await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
  const figure = page
    .locator(".jp-AttentionRenderer")
    .filter({ has: page.locator(".jp-AttentionHeadGrid") })
    .first();
  await figure.waitFor({ timeout: 120_000 });
  await expect(figure.getByRole("gridcell")).toHaveCount(72);
  const cell = figure.locator('[data-layer="0"][data-head="2"]');
  await cell.scrollIntoViewIfNeeded();
  await cell.hover({ position: { x: 20, y: 20 } });
  await cell.hover({ position: { x: 18, y: 22 } });
  await expect(page.locator(".jp-AttentionTooltip")).toContainText("L0.H2");
  await page.screenshot({ path: join(root, "test-results", "pictures", "notebook7.png") });

  const light = figure.locator(".jp-AttentionHeadGrid-light");
  await expect(light).toHaveAttribute("data-state", "live");
  await cell.focus();
  await page.keyboard.press("ArrowRight");
  await expect(figure.locator('[data-layer="0"][data-head="3"]')).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(figure.locator(".jp-AttentionFocus-name")).toHaveText("L0.H3");
  await page.keyboard.press("a");
  await expect(figure.locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L0.H3: zero output");

  await page.evaluate(async () => {
    const { jupyterapp } = window as unknown as {
      jupyterapp: {
        shell: { currentWidget: { sessionContext: { session: { kernel: { restart(): Promise<void> } } } } };
      };
    };
    await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart();
  });
  await expect(light).toHaveAttribute("data-state", "saved");
  await expect(figure.getByRole("button", { name: "Ablate" })).toBeDisabled();
  await expect(figure.locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L0.H3: zero output");
  expect(problems).toEqual([]);
});
