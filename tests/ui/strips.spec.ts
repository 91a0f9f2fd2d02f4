import { join } from "node:path";
import { expect, test, type Locator } from "@playwright/test";
import { root } from "../environment.js";
import { labWith } from "./lab.js";

const cells = [
  `import { compareHeads, load, tokenStrip } from "attention-lab";
const model = await load(${JSON.stringify(join(root, "tests/oracles/models/bloom"))});
const run = await model.run({ inputIds: [Array.from({ length: 40 }, (_, i) => 3 + ((i * 7) % 29))] });
tokenStrip(run, { layer: 1, head: 2 })`,
  "await compareHeads({ run, layer: 0, head: 1 }, { run, layer: 1, head: 2 })",
  "await model.generate({ inputIds: [[5, 6, 7, 8]] }, { maxNewTokens: 6, patterns: true })",
  "run",
  "const exact = run.headPattern({ layer: 1, head: 2 }); [exact.item(9, 0), exact.item(9, 9)]",
];

const notebook = labWith("strips.ipynb", cells);
const figure = (at: number): Locator => notebook.lab.output(at).locator(".jp-AttentionRenderer");
const numbers = (text: string): number[] => (text.match(/\d+(\.\d+)?(e-\d+)?/g) ?? []).map(Number);

test("a token strip tells where a token looks, with the weights that the run holds", async () => {
  const { lab } = notebook;
  await lab.runAll();
  const strip = figure(0);
  await strip.locator('[data-at="9"]').click();
  await strip.locator('[data-at="0"]').hover();
  const truth = numbers(await lab.output(4).innerText());
  const shown = strip.locator(".jp-AttentionReading-weight");
  const [weight] = truth.slice(-2);
  await expect.poll(async () => Number(await shown.innerText())).toBe(Number(weight.toPrecision(4)));
  await lab.picture("token-strip-light");
});

test("another head comes from the kernel", async () => {
  const strip = figure(0);
  await strip.getByLabel("Head", { exact: true }).selectOption("mean");
  await expect(strip.locator(".jp-AttentionStrip-caption")).toContainText("layer 1, mean of");
});

test("two heads share a cross-hair", async () => {
  const pair = figure(1);
  await pair
    .locator(".jp-AttentionPair-matrix")
    .nth(2)
    .hover({ position: { x: 5, y: 60 } });
  await expect(pair.locator(".jp-AttentionReading")).toContainText("A − B");
  await expect(pair.locator(".jp-AttentionCross:not(.jp-mod-pinned):visible")).toHaveCount(3);
});

test("a written text goes through its steps", async () => {
  const written = figure(2);
  await written.locator("input[type=range]").focus();
  await notebook.lab.page.keyboard.press("ArrowRight");
  await expect(written.locator(".jp-AttentionTimeline-step")).toContainText("step 2 of 6");
});

test("Shift-click compares two heads of a grid; the enlarged one zooms", async () => {
  const grid = figure(3);
  await grid.locator('[data-layer="0"][data-head="1"]').click();
  await grid.locator('[data-layer="1"][data-head="2"]').click({ modifiers: ["Shift"] });
  await expect(grid.locator(".jp-AttentionPair-matrix")).toHaveCount(3);
  await grid.getByRole("button", { name: "Close the comparison" }).click();
  await grid.locator(".jp-AttentionFocus-matrix").focus();
  await notebook.lab.page.keyboard.press("+");
  await expect(grid.locator(".jp-AttentionFocus-matrix")).toHaveClass(/jp-mod-zoomed/);
  await expect(notebook.lab.cell(3)).toBeVisible();
});

test("nothing went wrong on the page", () => expect(notebook.lab.problems).toEqual([]));
