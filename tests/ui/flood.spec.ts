import { expect, test } from "@playwright/test";
import { openNotebook } from "./lab.js";
import { writeNotebook } from "./notebookFile.js";

test("no line of a flood of output is lost, and the cell ends", async ({ browser }) => {
  const count = 5000;
  const loop = `for (let line = 0; line < ${count}; line++) console.log("line " + line);`;
  writeNotebook("flood.ipynb", [loop, `"after the flood"`]);
  const lab = await openNotebook(await browser.newPage(), "flood.ipynb");
  await lab.runAll();
  const outputs = lab.page.locator(".jp-CodeCell .jp-Cell-outputArea");
  await expect(outputs.nth(1)).toContainText("after the flood");
  const shown = await outputs.nth(0).evaluate((node) => node.textContent.split("\n").filter((line) => line !== ""));
  expect(shown).toEqual(Array.from({ length: count }, (_, line) => `line ${line}`));
  expect(lab.problems).toEqual([]);
  await lab.page.close();
});
