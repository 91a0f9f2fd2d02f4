import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { headGridMime, type HeadEffect } from "attention-lab/views";
import { root } from "../environment.js";
import { labWith, type Lab } from "./lab.js";
import { notebookFolder } from "./notebookFile.js";

const model = join(root, "tests/oracles/models/gpt2");
const cells = [
  `import { headEffect, interventions, load } from "attention-lab";
const model = await load(${JSON.stringify(model)});
const run = await model.run({ inputIds: [[5, 6, 7, 8, 9, 10, 11, 12]] });
run`,
  `const effect = await headEffect(run, { layer: 1, head: 2, mode: "mean" });
const other = await model.run({ inputIds: [[5, 6, 7, 8, 9, 10, 11, 12]] }, { interventions: [interventions.meanZ({ layer: 1, head: 2, over: "batch" })] });
console.log(JSON.stringify({ before: run.loss, after: other.loss, kl: effect.prediction?.divergenceNats }));`,
  `await new Promise<void>(() => undefined);`,
  `run`,
  `import { existsSync } from "node:fs";
while (!existsSync("go"));`,
];
/** As long as it is not there, the last cell computes. */
const go = join(notebookFolder, "go");

const notebook = labWith("live-link.ipynb", cells);
const figure = (lab: Lab, at = 0): Locator => lab.output(at).locator(".jp-AttentionHeadGrid");
const head = (lab: Lab, layer: number, at: number, cell = 0): Locator =>
  figure(lab, cell).locator(`[data-layer="${layer}"][data-head="${at}"]`);
const light = (lab: Lab, at = 0): Locator => figure(lab, at).locator(".jp-AttentionHeadGrid-light");

/** Runs a cell, and does not wait for its end. */
async function run(lab: Lab, at: number): Promise<void> {
  await lab.cell(at).locator(".jp-InputPrompt").click();
  await lab.page.evaluate(() => {
    const { jupyterapp } = window as unknown as {
      jupyterapp: { commands: { execute(command: string): Promise<unknown> } };
    };
    void jupyterapp.commands.execute("notebook:run-cell");
  });
}

/** The loss before and after, as the figure shows it. */
async function shownLoss(lab: Lab): Promise<readonly number[]> {
  const text = await figure(lab).locator(".jp-AttentionHeadEffect-number").first().locator("dd").innerText();
  return [...text.matchAll(/\d+\.\d{4}/g)].slice(0, 2).map(([digits]) => Number(digits));
}

async function reloaded(page: Page, lab: Lab): Promise<void> {
  await lab.command("docmanager:save");
  await page.reload();
  await page.locator(".jp-Notebook").waitFor();
  await lab.idle();
}

/** What the saved notebook holds of the first cell. */
interface Saved {
  readonly cells: readonly {
    readonly outputs: readonly {
      readonly data: {
        readonly [headGridMime]: { readonly effects: readonly HeadEffect[] };
        readonly "text/plain": string | readonly string[];
      };
    }[];
  }[];
}

let truth: { readonly before: number; readonly after: number; readonly kl: number };

test("a figure is linked with the kernel that drew it", async () => {
  const { lab } = notebook;
  await run(lab, 0);
  await expect(light(lab)).toHaveAttribute("data-state", "live");
  await run(lab, 1);
  await expect(lab.output(1)).toContainText("after");
  truth = JSON.parse(await lab.output(1).innerText()) as typeof truth;
});

test("a click ablates a head: what it shows is what a run with the intervention says", async () => {
  const { lab } = notebook;
  await head(lab, 1, 2).click();
  await figure(lab).getByRole("combobox", { name: "How the head is taken out" }).selectOption("mean");
  await figure(lab).getByRole("button", { name: "Ablate" }).click();
  const result = figure(lab).locator(".jp-AttentionHeadEffect");
  await expect(result.locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L1.H2: mean output");
  const [before, after] = await shownLoss(lab);
  expect(Math.abs(before - truth.before)).toBeLessThan(6e-5);
  expect(Math.abs(after - truth.after)).toBeLessThan(6e-5);
  await expect(result).toContainText(`${truth.kl.toPrecision(3)} nats`);
  await expect(result.getByRole("table")).toContainText("Δ logit");
  await expect(head(lab, 1, 2)).toHaveClass(/jp-mod-ablated/);
  await expect(figure(lab).locator(".jp-AttentionLive")).toContainText("without 1.2 (mean)");
  await figure(lab).evaluate((node) => node.scrollIntoView({ block: "center" }));
  await lab.picture("ablation-light");
});

test("by keys alone: arrows choose a head, A ablates it", async () => {
  const { lab } = notebook;
  await head(lab, 1, 2).focus();
  await lab.page.keyboard.press("ArrowUp");
  await expect(head(lab, 0, 2)).toBeFocused();
  await lab.page.keyboard.press("a");
  await expect(figure(lab).locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L0.H2: mean output");
  await expect(figure(lab).locator(".jp-AttentionHeadEffect-map")).toContainText("L1.H");
  await expect(lab.page.locator(".jp-Notebook .jp-Cell")).toHaveCount(cells.length);
});

test("it is acknowledged at once, before the model runs: here a cell computes first", async () => {
  const { lab } = notebook;
  rmSync(go, { force: true });
  await run(lab, 4);
  await expect(lab.cell(4).locator(".jp-InputPrompt")).toHaveText("[*]:");
  await head(lab, 0, 1).click({ modifiers: ["Alt"] });
  const controls = figure(lab).locator(".jp-AttentionAblationControls");
  await expect(controls.getByRole("progressbar", { name: "Ablation" })).toBeVisible();
  await expect(controls).toContainText("Waiting for the kernel …");
  await expect(controls.getByRole("button", { name: "Cancel" })).toBeVisible();
  await expect(figure(lab).locator(".jp-AttentionHeadEffect-title", { hasText: "L0.H1" })).toHaveCount(0);
  await expect(lab.cell(4).locator(".jp-InputPrompt")).toHaveText("[*]:");
  writeFileSync(go, "");
  await expect(figure(lab).locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L0.H1: mean output");
  await expect(controls.getByRole("progressbar", { name: "Ablation" })).toBeHidden();
  await lab.idle();
});

test("it is answered while a cell awaits", async () => {
  const { lab } = notebook;
  await run(lab, 2);
  await expect(lab.cell(2).locator(".jp-InputPrompt")).toHaveText("[*]:");
  await head(lab, 2, 1).click({ modifiers: ["Alt"] });
  await expect(figure(lab).locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L2.H1: mean output");
  await expect(lab.cell(2).locator(".jp-InputPrompt")).toHaveText("[*]:");
  await lab.command("notebook:interrupt-kernel");
  await lab.idle();
});

test("two figures of a run share the chosen head", async () => {
  const { lab } = notebook;
  await run(lab, 3);
  await expect(light(lab, 3)).toHaveAttribute("data-state", "live");
  await head(lab, 1, 0).click();
  await expect(head(lab, 1, 0, 3)).toHaveClass(/jp-mod-chosen/);
  await head(lab, 0, 3, 3).click();
  await expect(figure(lab).locator(".jp-AttentionFocus-name")).toHaveText("L0.H3");
});

test("the saved notebook holds the results, and a reloaded page is linked again", async () => {
  const { lab } = notebook;
  await reloaded(lab.page, lab);
  const [{ outputs }] = (JSON.parse(readFileSync(join(notebookFolder, "live-link.ipynb"), "utf8")) as Saved).cells;
  const { effects } = outputs[0].data[headGridMime];
  expect(effects.map(({ layer, head: at, mode }) => [layer, at, mode])).toEqual([
    [1, 2, "mean"],
    [0, 2, "mean"],
    [0, 1, "mean"],
    [2, 1, "mean"],
  ]);
  expect(Math.abs(effects[0].loss![1] - truth.after)).toBeLessThan(1e-6);
  expect([outputs[0].data["text/plain"]].flat().join("")).toContain("without 1.2 (mean)");
  await expect(figure(lab).locator(".jp-AttentionHeadEffect-history button")).toHaveCount(4);
  await figure(lab).locator(".jp-AttentionHeadEffect-history button").first().click();
  const [before, after] = await shownLoss(lab);
  expect([before, after].map((loss) => Number(loss.toFixed(4)))).toEqual(
    [truth.before, truth.after].map((loss) => Number(loss.toFixed(4))),
  );
  await expect(light(lab)).toHaveAttribute("data-state", "live");
  await figure(lab).getByRole("combobox", { name: "How the head is taken out" }).selectOption("bos");
  await figure(lab).getByRole("button", { name: "Ablate" }).click();
  await expect(figure(lab).locator(".jp-AttentionHeadEffect-title")).toHaveText("Without L1.H2: first token only");
});

test("after a restart of the kernel the figure is the saved one, and says so", async () => {
  const { lab } = notebook;
  await lab.restartKernel();
  await lab.idle();
  await expect(light(lab)).toHaveAttribute("data-state", "saved");
  await expect(figure(lab).getByRole("button", { name: "Ablate" })).toBeDisabled();
  await expect(figure(lab).locator(".jp-AttentionAblation-note")).toContainText("run the cell to ablate heads");
  await head(lab, 2, 2).click();
  await expect(figure(lab).locator(".jp-AttentionFocus-name")).toHaveText("L2.H2");
  await run(lab, 0);
  await expect(light(lab)).toHaveAttribute("data-state", "live");
});

test("nothing went wrong on the page", () => expect(notebook.lab.problems).toEqual([]));
