import { expect, test, type Browser, type Page } from "@playwright/test";
import type { GalleryBundle } from "../gallery/bundles.js";
import { axeFaults, settledFaults } from "./figureFaults.js";
import { everything, figureAt, setWindowing, windowingModes, writeGallery } from "./galleryNotebook.js";

// Every view × windowing mode × theme × state × application: minutes for each state, so it is asked for by ATTENTION_LAB_VIEWS=all, best one
// theme at a time with -g "Notebook 7, JupyterLab Dark". Without it Notebook 7 draws every view once; views.spec.ts and access.spec.ts go
// through the settings one at a time in JupyterLab.
const file = "every-view.ipynb";
let bundles: readonly GalleryBundle[];

test.beforeAll(async () => {
  bundles = await writeGallery(file);
});

async function open(browser: Browser, address: string): Promise<{ readonly page: Page; readonly problems: string[] }> {
  const page = await browser.newPage();
  const problems: string[] = [];
  // Both applications have complaints of their own; ours would come from our files.
  page.on("pageerror", ({ stack = "" }) => {
    if (stack.includes("attention-lab-extension")) problems.push(stack);
  });
  await page.goto(address);
  await page.locator(".jp-Notebook").waitFor();
  return { page, problems };
}

async function faultsOf(page: Page): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [at, { name }] of bundles.entries())
    faults.push(...(await settledFaults(await figureAt(page, at))).map((fault) => `${name}: ${fault}`));
  return faults;
}

test("Notebook 7 draws every view of an untrusted notebook, whole, with roles and names", async ({ browser }) => {
  const { page, problems } = await open(browser, `/notebooks/${file}`);
  expect(await faultsOf(page)).toEqual([]);
  expect(problems).toEqual([]);
  await page.close();
});

if (everything)
  for (const [application, address] of [
    ["JupyterLab", `/lab/tree/${file}?reset`],
    ["Notebook 7", `/notebooks/${file}`],
  ] as const)
    for (const theme of ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
      test.describe(`${application}, ${theme}`, () => {
        // One page goes through the states in this order, a test each: each has its own time, and a fault says in which it was.
        test.describe.configure({ mode: "serial", timeout: 600_000 });
        let page: Page;
        let problems: readonly string[];
        const execute = (command: string, args: object = {}): Promise<void> =>
          page.evaluate(
            async ([id, given]) => {
              const { jupyterapp } = window as unknown as {
                jupyterapp: { commands: { execute(id: string, args: object): Promise<unknown> } };
              };
              await jupyterapp.commands.execute(id, given);
            },
            [command, args] as const,
          );
        test.beforeAll(async ({ browser }) => {
          await writeGallery(file);
          ({ page, problems } = await open(browser, address));
          await execute("apputils:change-theme", { theme });
        });
        test.afterAll(async () => {
          await execute("apputils:change-theme", { theme: "JupyterLab Light" });
          await page.close();
        });

        for (const state of ["saved", "run", "reloaded"])
          test(`every view in every windowing mode, ${state}`, async () => {
            if (state === "run") await execute("notebook:run-all-cells");
            if (state === "reloaded") {
              await execute("docmanager:save");
              await page.reload();
              await page.locator(".jp-Notebook").waitFor();
            }
            for (const mode of windowingModes) {
              await setWindowing(page, mode);
              expect(await faultsOf(page), mode).toEqual([]);
            }
            await setWindowing(page, "none");
            for (const [at, { name }] of bundles.entries())
              expect(await axeFaults(await figureAt(page, at), false), name).toEqual([]);
            expect(problems).toEqual([]);
          });
      });
