import { runInThisContext } from "node:vm";
import { expect, test } from "@playwright/test";
import { mimeBundle } from "../../kernel/lib/host/jupyter/mimeBundle.js";
import { labWith, openNotebook, type Lab } from "./lab.js";
import { writeNotebook } from "./notebookFile.js";

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

const cells = [
  `[{ head: "0.1", mass: 0.25, note: "<b>sink</b>" }, { head: "2.8", mass: 0.75, note: "none" }]`,
  `Float32Array.from({ length: 1000 }, (_, n) => Math.sin(n))`,
  `Array.from({ length: 3 }, (_, i) => [i, i + 1, i + 2])`,
  `({ model: "minilm".repeat(40), layers: [{ heads: 12 }, { heads: 12 }], cache: new Map([["k", new Set([1])]]) })`,
  `new Error("a value, not a failure")`,
  `Buffer.from("${png}", "base64")`,
  `"text"`,
];

const notebook = labWith("representations.ipynb", cells);

async function expectRepresentations(lab: Lab): Promise<void> {
  await expect(lab.output(0).locator("tbody tr")).toHaveCount(2);
  await expect(lab.output(0)).toContainText("<b>sink</b>");
  await expect(lab.output(1).locator("table").first()).toContainText("float32");
  await expect(lab.output(2).locator("table").last().locator("tbody tr")).toHaveCount(3);
  const folded = lab.output(3).locator("details").nth(1);
  await expect(folded.getByText("heads")).toHaveCount(2);
  await expect(lab.output(4).locator("summary")).toContainText("a value, not a failure");
  await expect(lab.output(5).locator("img")).toHaveCount(1);
  await expect(lab.output(6)).toHaveText(/'text'/);
}

test("values have their form: table, summary, tree, error, picture, text", async () => {
  await notebook.lab.runAll();
  await expectRepresentations(notebook.lab);
  await notebook.lab.output(3).locator("summary", { hasText: "layers" }).click();
  await expect(notebook.lab.output(3).locator("details").nth(1)).toHaveAttribute("open");
  await notebook.lab.picture("representations-light");
  await notebook.lab.theme("JupyterLab Dark");
  await notebook.lab.picture("representations-dark");
  await notebook.lab.theme("JupyterLab Light");
});

test("a notebook that nobody trusts shows the same forms, without their colours", async ({ browser }) => {
  const bundleOf = (source: string): Readonly<Record<string, unknown>> =>
    mimeBundle(runInThisContext(source)) as Readonly<Record<string, unknown>>;
  writeNotebook("untrusted.ipynb", cells, bundleOf);
  const untrusted = await openNotebook(await browser.newPage(), "untrusted.ipynb");
  await expectRepresentations(untrusted);
  await expect(untrusted.output(4).locator("summary b")).not.toHaveAttribute("style", /./);
  await untrusted.output(3).locator("summary", { hasText: "layers" }).click();
  await expect(untrusted.output(3).locator("details").nth(1)).toHaveAttribute("open");
  await untrusted.picture("representations-untrusted");
  expect(untrusted.problems).toEqual([]);
  await untrusted.page.close();
});

test("nothing went wrong on the page", () => expect(notebook.lab.problems).toEqual([]));
