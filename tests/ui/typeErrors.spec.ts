import { expect, test, type Locator } from "@playwright/test";
import { labWith } from "./lab.js";

const notebook = labWith("type-errors.ipynb", [
  "const heads: number = 12;",
  "",
  "heads.toFixed(later);",
  `const untouched: string = 5 as number; "ran"`,
]);
const underlined = (at: number): Locator => notebook.lab.cell(at).locator(".jp-AttentionTypeError");

async function write(at: number, text: string): Promise<void> {
  await notebook.lab.cell(at).locator(".cm-content").click();
  await notebook.lab.page.keyboard.press("Control+A");
  await notebook.lab.page.keyboard.insertText(text);
}

async function run(at: number): Promise<void> {
  await notebook.lab.cell(at).locator(".jp-InputPrompt").click();
  await notebook.lab.page.keyboard.press("Control+Enter");
}

test("a type error is underlined while it is written, also with names of cells above that have not run", async () => {
  await write(1, "const name: string = heads;\nconst fine: number = heads;");
  await expect(underlined(1)).toHaveText(["name"]);
  await expect(underlined(0)).toHaveCount(0);
  await underlined(1).hover();
  const text = notebook.lab.page.locator(".jp-AttentionTypeError-text");
  await expect(text).toHaveText("TS2322: Type 'number' is not assignable to type 'string'.");
  await notebook.lab.picture("type-errors-light");
  await notebook.lab.theme("JupyterLab Dark");
  await underlined(1).hover();
  await expect(text).toBeVisible();
  await notebook.lab.picture("type-errors-dark");
  await notebook.lab.theme("JupyterLab Light");
});

test("the mended text is not underlined any more", async () => {
  await write(1, "const name: string = `${heads}`;");
  await expect(underlined(1)).toHaveCount(0);
});

test("a cell with a type error runs all the same, is underlined, and says nothing below", async () => {
  await run(3);
  await expect(notebook.lab.output(3)).toHaveText(/'ran'/);
  await expect(underlined(3)).toHaveText(["untouched"]);
  await expect(notebook.lab.output(3)).not.toContainText("TS2322");
});

test("a name that a later cell declares ends the error of the cell that uses it", async () => {
  await write(2, "heads.toFixed(later) ;");
  await expect(underlined(2)).toHaveText(["later"]);
  await write(1, "let later = 2;");
  await notebook.lab.page.keyboard.press("Control+Enter");
  await expect(underlined(2)).toHaveCount(0);
});

test("after a restart of the kernel the errors are told again", async () => {
  await notebook.lab.restartKernel();
  await write(1, "const name: string = heads;");
  await expect(underlined(1)).toHaveText(["name"]);
});

test("nothing went wrong on the page", () => expect(notebook.lab.problems).toEqual([]));
