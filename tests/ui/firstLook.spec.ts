import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { paletteColours } from "attention-lab/figure";
import { root } from "../environment.js";
import { referencePatterns } from "../minilm.js";
import { notebookFolder } from "./notebookFile.js";
import { openNotebook, pixelAt, type Lab } from "./lab.js";

const [catSentence, marySentence] = referencePatterns();
const pictures = join(root, "test-results", "pictures");
mkdirSync(pictures, { recursive: true });

const viridis = paletteColours("viridis");

/** The colour that the view must give to a weight on its square-root scale from 0 to 1. */
function colourOf(weight: number): readonly number[] {
  const level = Math.round(255 * Math.sqrt(weight));
  return [...viridis.subarray(level * 3, level * 3 + 3)];
}

/** Colours agree within one step of the scale. */
function expectColour(found: readonly number[], weight: number): void {
  colourOf(weight).forEach((channel, at) => expect(Math.abs(channel - found[at])).toBeLessThanOrEqual(4));
}

test.describe.configure({ mode: "serial" });

let lab: Lab;
test.beforeAll(async ({ browser }) => {
  lab = await openNotebook(await browser.newPage(), "01-first-look.ipynb");
});
test.afterAll(() => lab.page.close());

test("all cells run and the grid appears", async () => {
  await lab.runAll();
  await expect(lab.page.getByText(/puts 0\.\d{4} of its attention on \[SEP\]/)).toBeVisible();
  await expect(lab.figure.locator(".jp-AttentionGrid-canvas")).toBeVisible();
  await expect(lab.figure.getByRole("gridcell")).toHaveCount(72);
  await lab.figure.evaluate((node) => node.scrollIntoView({ block: "center" }));
});

test("hovering reads the weight under the pointer", async () => {
  const cell = lab.figure.locator('[data-layer="0"][data-head="2"]');
  const box = (await cell.boundingBox())!;
  const { tokens, at } = catSentence;
  const [query, key] = [7, 6];
  const x = box.x + ((key + 0.5) / tokens) * box.width;
  const y = box.y + ((query + 0.5) / tokens) * box.height;
  await lab.page.mouse.move(x - 2, y);
  await lab.page.mouse.move(x, y);
  const readout = lab.page.locator(".jp-AttentionTooltip");
  await expect(readout).toContainText("L0.H2");
  await expect(readout).toContainText('"because"');
  await expect(readout).toContainText('"mat"');
  const shown = Number(/(?:^|\s|")(\d\.\d{3,})/.exec((await readout.innerText()).replace(/\n/g, " "))![1]);
  expect(Math.abs(shown - at(0, 2, query, key))).toBeLessThan(6e-4);
  await lab.page.screenshot({ path: join(pictures, "first-look-light.png") });
  await lab.page.mouse.move(5, 5);
});

test("a click shows one head at full size, in the colours of its weights", async () => {
  await lab.figure.locator('[data-layer="2"][data-head="8"]').click();
  const canvas = lab.figure.locator(".jp-AttentionFocus-canvas");
  await expect(canvas).toBeVisible();
  await expect(lab.figure.locator(".jp-AttentionFocus-name")).toHaveText("L2.H8");
  await expect(lab.figure.locator(".jp-AttentionFocus")).toContainText("because");
  const { tokens, at } = catSentence;
  for (const [query, key] of [
    [0, 0],
    [5, 6],
    [8, 10],
    [6, 0],
    [12, 2],
    [3, 4],
  ] as const) {
    expectColour(await pixelAt(canvas, (key + 0.5) / tokens, (query + 0.5) / tokens), at(2, 8, query, key));
  }
  await lab.page.screenshot({ path: join(pictures, "focus-light.png") });
});

test("the themes change the frame, never the data", async () => {
  const canvas = lab.figure.locator(".jp-AttentionFocus-canvas");
  const before = await pixelAt(canvas, 0.04, 0.04);
  for (const theme of ["JupyterLab Dark", "JupyterLab Dark High Contrast"] as const) {
    await lab.theme(theme);
    await lab.figure.evaluate((node) => node.scrollIntoView({ block: "center" }));
    await lab.page.screenshot({ path: join(pictures, `focus-${theme.toLowerCase().replaceAll(" ", "-")}.png`) });
    expect(await pixelAt(canvas, 0.04, 0.04)).toEqual(before);
  }
});

test("keys move between heads and never reach the notebook's shortcuts", async () => {
  const cells = lab.page.locator(".jp-Notebook .jp-Cell");
  const count = await cells.count();
  const current = lab.figure.locator('[data-layer="2"][data-head="8"]');
  await current.focus();
  await lab.page.keyboard.press("Escape");
  await expect(lab.figure.locator(".jp-AttentionFocus")).toBeHidden();
  await lab.page.screenshot({ path: join(pictures, "grid-dark.png") });
  await current.focus();
  await lab.page.keyboard.press("ArrowRight");
  await lab.page.keyboard.press("ArrowUp");
  await expect(lab.figure.locator('[data-layer="1"][data-head="9"]')).toBeFocused();
  for (const key of ["b", "a", "d", "d", "x", "m"]) await lab.page.keyboard.press(key);
  await expect(cells).toHaveCount(count);
  await lab.page.keyboard.press("Enter");
  await expect(lab.figure.locator(".jp-AttentionFocus-name")).toHaveText("L1.H9");
});

test("the selector switches the sentence", async () => {
  await lab.theme("JupyterLab Light");
  await lab.figure.getByRole("combobox").first().selectOption({ index: 1 });
  const { tokens, at } = marySentence;
  const canvas = lab.figure.locator(".jp-AttentionFocus-canvas");
  await expect(lab.figure.locator(".jp-AttentionFocus")).toContainText("john");
  for (const [query, key] of [
    [0, 0],
    [9, 8],
    [17, 0],
  ] as const) {
    expectColour(await pixelAt(canvas, (key + 0.5) / tokens, (query + 0.5) / tokens), at(1, 9, query, key));
  }
});

/** Two folders that look like models and are none, beside the notebook. */
function writeBrokenModels(): void {
  const demo = join(root, ".cache", "models", "all-MiniLM-L6-v2");
  for (const name of ["truncated", "unknown"]) {
    const folder = join(notebookFolder, "broken", name);
    mkdirSync(folder, { recursive: true });
    for (const file of ["config.json", "tokenizer.json"]) copyFileSync(join(demo, file), join(folder, file));
    const weights = readFileSync(join(demo, "model.safetensors")).subarray(0, 1_000_000);
    writeFileSync(join(folder, "model.safetensors"), weights);
  }
  const config = { architectures: ["GhostForCausalLM"], model_type: "ghost" };
  writeFileSync(join(notebookFolder, "broken/unknown/config.json"), JSON.stringify(config));
}

test("bad input gives a clear error and the kernel lives on", async () => {
  writeBrokenModels();
  const attempts: readonly (readonly [string, RegExp])[] = [
    ['await load("./broken/truncated")', /model\.safetensors.*bytes/],
    ['await load("./broken/unknown")', /GhostForCausalLM.*known: .*BertModel/s],
    ['await load("all-MiniLM-L6")', /all-MiniLM-L6-v2/],
    ['await model.run("")', /empty/],
    ['await model.run("word ".repeat(600))', /512/],
    ['run.at("blocks.0.attn.patern")', /did you mean "blocks\.(0|\*)\.attn\.pattern"/],
  ];
  for (const [code, message] of attempts) {
    await lab.command("notebook:insert-cell-below");
    await lab.command("notebook:enter-edit-mode");
    await lab.page.keyboard.insertText(code);
    await lab.command("notebook:run-cell");
    await expect(lab.page.locator(".jp-Cell.jp-mod-selected .jp-OutputArea")).toContainText(message);
  }
  await lab.command("notebook:insert-cell-below");
  await lab.command("notebook:enter-edit-mode");
  await lab.page.keyboard.insertText("model.layers * 7");
  await lab.command("notebook:run-cell");
  await expect(lab.page.locator(".jp-Cell.jp-mod-selected .jp-OutputArea")).toContainText("42");
});

test("the saved notebook shows its figures again without a kernel", async ({ browser }) => {
  await lab.command("docmanager:save");
  await lab.command("kernelmenu:shutdown");
  const again = await openNotebook(await browser.newPage(), "01-first-look.ipynb");
  await expect(again.figure.locator(".jp-AttentionGrid-canvas")).toBeVisible();
  await again.figure.locator('[data-layer="2"][data-head="8"]').click();
  const { tokens, at } = catSentence;
  const canvas = again.figure.locator(".jp-AttentionFocus-canvas");
  expectColour(await pixelAt(canvas, 6.5 / tokens, 5.5 / tokens), at(2, 8, 5, 6));
  expect(again.problems).toEqual([]);
  await again.page.close();
});

test("an untrusted notebook shows the figure, and runs nothing", async ({ browser }) => {
  const saved = JSON.parse(readFileSync(join(notebookFolder, "01-first-look.ipynb"), "utf8")) as { metadata: object };
  const changed = { ...saved, metadata: { ...saved.metadata, from: "elsewhere" } };
  writeFileSync(join(notebookFolder, "untrusted.ipynb"), JSON.stringify(changed));
  expect(await lab.trusted()).toBe(true);
  const other = await openNotebook(await browser.newPage(), "untrusted.ipynb");
  expect(await other.trusted()).toBe(false);
  await other.figure.locator('[data-layer="2"][data-head="8"]').click();
  const { tokens, at } = catSentence;
  const canvas = other.figure.locator(".jp-AttentionFocus-canvas");
  expectColour(await pixelAt(canvas, 6.5 / tokens, 5.5 / tokens), at(2, 8, 5, 6));
  expect(other.problems).toEqual([]);
  await other.page.close();
});

test("nothing went wrong on the page", () => expect(lab.problems).toEqual([]));
