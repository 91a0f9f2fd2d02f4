import { join } from "node:path";
import { expect, test, type Locator } from "@playwright/test";
import { root } from "../environment.js";
import { labWith } from "./lab.js";

const cells = [
  `import { load } from "attention-lab";
const model = await load(${JSON.stringify(join(root, "tests/oracles/models/bloom"))});
const run = await model.run({ inputIds: [Array.from({ length: 2048 }, (_, i) => 3 + ((i * 7) % 29))] });
run`,
  "run.tokens[0].length",
];

const notebook = labWith("long-input.ipynb", cells);
const figure = (): Locator => notebook.lab.output(0).locator(".jp-AttentionHeadGrid");
const matrix = (): Locator => figure().locator(".jp-AttentionFocus-matrix");

test("a head of 2048 tokens comes in full when it is enlarged", async () => {
  const { lab } = notebook;
  await lab.runAll();
  await figure().locator('[data-layer="0"][data-head="1"]').click();
  await expect(matrix()).toHaveAttribute("data-block", "4");
  const ms = await figure()
    .locator('[data-layer="1"][data-head="2"]')
    .evaluate((head) => {
      const node = head.closest(".jp-AttentionHeadGrid")!.querySelector<HTMLElement>(".jp-AttentionFocus-matrix")!;
      const start = performance.now();
      return new Promise<number>((resolve) => {
        new MutationObserver(() => {
          if (node.dataset["block"] === "4") resolve(performance.now() - start);
        }).observe(node, { attributes: true, attributeFilter: ["data-block"] });
        (head as HTMLElement).click();
      });
    });
  test.info().annotations.push({ type: "head switch through a tile at T = 2048", description: `${ms.toFixed(0)} ms` });
  await lab.picture("long-input-light");
});

test("the number under the pointer is the one that the run holds", async () => {
  const { lab } = notebook;
  const box = (await matrix().boundingBox())!;
  await lab.page.mouse.move(box.x + 0.2 * box.width, box.y + 0.6 * box.height);
  await lab.page.mouse.move(box.x + 0.3 * box.width, box.y + 0.7 * box.height);
  const reading = figure().locator(".jp-AttentionReading");
  await expect(reading).toContainText("largest of 4 × 4 weights");
  await expect(reading).toContainText(/positions \d+ ← \d+/);
  const text = await reading.innerText();
  const [, query, key] = /positions (\d+) ← (\d+)/.exec(text)!;
  const shown = await reading.locator(".jp-AttentionReading-weight").innerText();
  await lab.page.evaluate((source) => {
    interface Cell {
      readonly model: { readonly sharedModel: { setSource(source: string): void } };
    }
    const { jupyterapp } = window as unknown as {
      jupyterapp: { shell: { currentWidget: { content: { widgets: readonly Cell[] } } } };
    };
    jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.setSource(source);
  }, `run.headPattern({ layer: 1, head: 2 }).item(${query}, ${key})`);
  await lab.cell(1).locator(".jp-InputPrompt").click();
  await lab.command("notebook:run-cell");
  const value = lab.output(1).locator(".jp-OutputArea-output");
  await expect(value).toHaveText(/^\s*(0|1|[01]\.\d+|\d(\.\d+)?e-\d+)\s*$/);
  const truth = Number(await value.innerText());
  expect(Number(shown)).toBe(Number(truth.toPrecision(4)));
});

test("nothing went wrong on the page", () => expect(notebook.lab.problems).toEqual([]));
