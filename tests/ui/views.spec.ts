import { expect, test } from "@playwright/test";
import { settledFaults } from "./figureFaults.js";
import { figureAt, galleryLab, setWindowing, windowingModes } from "./galleryNotebook.js";

// Every view is drawn, in each setting of the notebook; who uses them how is in access.spec.ts.
const opened = galleryLab("gallery.ipynb");

test("untrusted: every view draws what was saved, whole, with roles and names", async () => {
  expect(await opened.lab.trusted()).toBe(false);
  expect(await opened.everyFigure(settledFaults)).toEqual([]);
});

test("in a narrow window nothing is cut off", async () => {
  await opened.lab.page.setViewportSize({ width: 700, height: 1000 });
  expect(await opened.everyFigure(settledFaults)).toEqual([]);
  await opened.lab.page.setViewportSize({ width: 1400, height: 1000 });
});

for (const mode of windowingModes)
  test(`windowing mode ${mode}: every view is drawn, also when it comes back`, async () => {
    await setWindowing(opened.lab.page, mode);
    expect(await opened.everyFigure(settledFaults)).toEqual([]);
    expect(await settledFaults(await figureAt(opened.lab.page, 0))).toEqual([]);
  });

test("run, reloaded, kernel restarted: every view is there, trusted", async () => {
  await opened.lab.runAll();
  expect(await opened.lab.trusted()).toBe(true);
  expect(await opened.everyFigure(settledFaults)).toEqual([]);
  await opened.lab.command("docmanager:save");
  await opened.lab.page.reload();
  await opened.lab.page.locator(".jp-Notebook").waitFor();
  await opened.lab.idle();
  expect(await opened.lab.trusted()).toBe(true);
  expect(await opened.everyFigure(settledFaults)).toEqual([]);
  await opened.lab.restartKernel();
  await opened.lab.idle();
  expect(await opened.everyFigure(settledFaults)).toEqual([]);
});

test("nothing went wrong on the page", () => expect(opened.lab.problems).toEqual([]));
