import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
import { expect, test, type Locator } from "@playwright/test";
import { mimeBundle } from "../../kernel/lib/host/jupyter/mimeBundle.js";
import { openNotebook, type Lab } from "./lab.js";
import { writeNotebook } from "./notebookFile.js";

const pictures = join(fileURLToPath(new URL("../..", import.meta.url)), "test-results", "pictures");
const notebook = "representations.ipynb";
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

test.describe.configure({ mode: "serial" });

let lab: Lab;
test.beforeAll(async ({ browser }) => {
  writeNotebook(notebook, cells);
  mkdirSync(pictures, { recursive: true });
  lab = await openNotebook(await browser.newPage(), notebook);
});
test.afterAll(() => lab.page.close());

const output = (page: Lab, at: number): Locator =>
  page.page.locator(".jp-CodeCell").nth(at).locator(".jp-Cell-outputArea");

async function expectRepresentations(page: Lab): Promise<void> {
  await expect(output(page, 0).locator("tbody tr")).toHaveCount(2);
  await expect(output(page, 0)).toContainText("<b>sink</b>");
  await expect(output(page, 1).locator("table").first()).toContainText("float32");
  await expect(output(page, 2).locator("table").last().locator("tbody tr")).toHaveCount(3);
  const folded = output(page, 3).locator("details").nth(1);
  await expect(folded.getByText("heads")).toHaveCount(2);
  await expect(output(page, 4).locator("summary")).toContainText("a value, not a failure");
  await expect(output(page, 5).locator("img")).toHaveCount(1);
  await expect(output(page, 6)).toHaveText(/'text'/);
}

test("values have their form: table, summary, tree, error, picture, text", async () => {
  await lab.runAll();
  await expectRepresentations(lab);
  await output(lab, 3).locator("summary", { hasText: "layers" }).click();
  await expect(output(lab, 3).locator("details").nth(1)).toHaveAttribute("open");
  await lab.page.screenshot({ path: join(pictures, "representations-light.png") });
  await lab.theme("JupyterLab Dark");
  await lab.page.screenshot({ path: join(pictures, "representations-dark.png") });
  await lab.theme("JupyterLab Light");
});

test("a notebook that nobody trusts shows the same forms, without their colours", async ({ browser }) => {
  const bundleOf = (source: string): Readonly<Record<string, unknown>> =>
    mimeBundle(runInThisContext(source)) as Readonly<Record<string, unknown>>;
  writeNotebook("untrusted.ipynb", cells, bundleOf);
  const untrusted = await openNotebook(await browser.newPage(), "untrusted.ipynb");
  await expectRepresentations(untrusted);
  await expect(output(untrusted, 4).locator("summary b")).not.toHaveAttribute("style", /./);
  await output(untrusted, 3).locator("summary", { hasText: "layers" }).click();
  await expect(output(untrusted, 3).locator("details").nth(1)).toHaveAttribute("open");
  await untrusted.page.screenshot({ path: join(pictures, "representations-untrusted.png") });
  expect(untrusted.problems).toEqual([]);
  await untrusted.page.close();
});

test("nothing went wrong on the page", () => expect(lab.problems).toEqual([]));
