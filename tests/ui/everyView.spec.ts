import { expect, test, type Browser, type Page } from "@playwright/test";
import type { GalleryBundle } from "../gallery/bundles.js";
import { axeFaults, settledFaults } from "./figureFaults.js";
import { everything, figureAt, setWindowing, windowingModes, writeGallery } from "./galleryNotebook.js";

// Every view × windowing mode × theme × state × application: minutes, so it is asked for by ATTENTION_LAB_VIEWS=all. Without it Notebook 7
// draws every view once; views.spec.ts and access.spec.ts go through the settings one at a time in JupyterLab.
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
      test(`${application}, ${theme}: every view in every windowing mode, saved, run, reloaded`, async ({
        browser,
      }) => {
        test.setTimeout(900_000);
        await writeGallery(file);
        const { page, problems } = await open(browser, address);
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
        await execute("apputils:change-theme", { theme });
        for (const state of ["saved", "run", "reloaded"]) {
          if (state === "run") await execute("notebook:run-all-cells");
          if (state === "reloaded") {
            await execute("docmanager:save");
            await page.reload();
            await page.locator(".jp-Notebook").waitFor();
          }
          for (const mode of windowingModes) {
            await setWindowing(page, mode);
            expect(await faultsOf(page), `${state}, ${mode}`).toEqual([]);
          }
          await setWindowing(page, "none");
          for (const [at, { name }] of bundles.entries())
            expect(await axeFaults(await figureAt(page, at), false), `${state}, ${name}`).toEqual([]);
        }
        await execute("apputils:change-theme", { theme: "JupyterLab Light" });
        expect(problems).toEqual([]);
        await page.close();
      });
