import { join } from "node:path";
import { expect, test, type Locator } from "@playwright/test";
import { root } from "../environment.js";
import { labWith } from "./lab.js";

const oracle = (name: string): string => JSON.stringify(join(root, "tests/oracles/models", name));
const cells = [
  `import { attributionGraph, edgeAttribution, imageAttention, load, logitDifference, random, scatter } from "attention-lab";
const model = await load(${oracle("gpt2")});
const run = await model.run({ inputIds: [[5, 6, 7, 8, 9, 10, 11, 12]] });
run`,
  `const first = [[0, 0.1, 0.2, 0.3], [0.4, 0.5, 0.6, 0.7], [0.8, 0.9, 1, 0.05]];
const second = first.map((row) => row.map((value) => 1 - value));
scatter({ name: "first", values: first }, { name: "second", values: second }, { run })`,
  `model`,
  `const [clean, corrupted] = [{ inputIds: [[5, 6, 7, 8]] }, { inputIds: [[11, 6, 13, 8]] }];
attributionGraph(await edgeAttribution(model, clean, corrupted, { metric: logitDifference(7, 9) }), { run })`,
  `const vit = await load(${oracle("vit")});
imageAttention(await vit.run({ pixelValues: random(1).normal([1, 3, 24, 24]) }))`,
];

const notebook = labWith("circuits.ipynb", cells);
const head = (layer: number, at: number): Locator =>
  notebook.lab.output(0).locator(`[role=gridcell][data-layer="${layer}"][data-head="${at}"]`);

test("a rectangle in a scatter marks heads in the grid of their run, a key unmarks them", async () => {
  const { lab } = notebook;
  await lab.runAll();
  const plot = lab.output(1).locator(".jp-AttentionScatter-plot");
  await plot.evaluate((node) => node.scrollIntoView({ block: "center" }));
  const box = (await plot.boundingBox())!;
  await lab.page.mouse.move(box.x + box.width * 0.55, box.y + 4);
  await lab.page.mouse.down();
  await lab.page.mouse.move(box.x + box.width - 4, box.y + box.height - 30, { steps: 4 });
  await lab.page.mouse.up();
  await expect(head(2, 2)).toHaveClass(/jp-mod-marked/);
  await expect(head(0, 1)).not.toHaveClass(/jp-mod-marked/);
  await lab.picture("scatter-light");
  await plot.press("Escape");
  await expect(head(2, 2)).not.toHaveClass(/jp-mod-marked/);
});

test("a model shows itself as a diagram whose places copy their addresses", async () => {
  const { page } = notebook.lab;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const diagram = notebook.lab.output(2).locator(".jp-AttentionDiagram");
  await diagram.getByRole("treeitem", { name: "blocks.2", exact: true }).locator("> div").click();
  await diagram
    .getByRole("treeitem", { name: /^pattern/ })
    .last()
    .locator("> div")
    .click();
  await expect(diagram.locator(".jp-AttentionLive")).toContainText("blocks.2.attn.pattern [batch, 4, query, query]");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("blocks.2.attn.pattern");
  await notebook.lab.picture("model-diagram-light");
});

test("a node of an attribution graph keeps its paths lit and chooses its head in the grid", async () => {
  const graph = notebook.lab.output(3).locator(".jp-AttentionGraph");
  await graph.getByRole("slider").press("ArrowRight");
  await expect(graph.locator(".jp-AttentionGraph-told")).toContainText("of the weight of all");
  const plot = graph.locator(".jp-AttentionGraph-plot");
  await plot.focus();
  const said = async (): Promise<string> => (await graph.locator(".jp-AttentionLive").textContent()) ?? "";
  // Embedding and MLPs are nodes as well.
  for (let step = 0; step < 8 && !/^\d/.test(await said()); step++)
    await plot.press(step % 3 < 2 ? "ArrowUp" : "ArrowLeft");
  await plot.press("Enter");
  await expect(graph.locator(".edge.jp-mod-lit").first()).toBeAttached();
  const [, layer, at] = /^Kept: (\d+)\.(\d+)/.exec(await said()) ?? [];
  await expect(head(Number(layer), Number(at))).toHaveClass(/jp-mod-chosen/);
  await notebook.lab.picture("attribution-graph-light");
});

test("a patch of a picture that is entered shows what it attends to", async () => {
  const overlay = notebook.lab.output(4).locator(".jp-AttentionOverlay");
  await overlay.locator(".jp-AttentionOverlay-plot").press("ArrowDown");
  for (const key of ["ArrowDown", "ArrowRight", "Enter"]) await notebook.lab.page.keyboard.press(key);
  await expect(overlay.locator(".jp-AttentionLive")).toHaveText("Attention of r1c1");
  await expect(overlay.locator(".jp-AttentionReading")).toContainText("L2 meanr1c1");
  await notebook.lab.picture("image-attention-light");
});

test("nothing went wrong on the page", () => expect(notebook.lab.problems).toEqual([]));
