import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type Browser, type Locator, type Page } from "@playwright/test";
import { galleryBundles, type GalleryBundle } from "../gallery/bundles.js";
import { openNotebook, type Lab } from "./lab.js";
import { notebookFolder, writeNotebook } from "./notebookFile.js";

/** A windowing mode of JupyterLab's notebooks. */
export type WindowingMode = "defer" | "full" | "none" | "contentVisibility";
export const windowingModes: readonly WindowingMode[] = ["defer", "full", "none", "contentVisibility"];

/** Whether every example of the gallery is gone through; without it one of each view, the last. */
export const everything: boolean = process.env["ATTENTION_LAB_VIEWS"] === "all";

/** A notebook that holds gallery examples as saved outputs, unsigned; each cell, when run, shows its example again. */
export async function writeGallery(name: string): Promise<readonly GalleryBundle[]> {
  const all = await galleryBundles();
  const bundles = everything ? all : [...new Map(all.map((bundle) => [bundle.mime, bundle])).values()];
  const folder = join(notebookFolder, "gallery");
  mkdirSync(folder, { recursive: true });
  const sources = new Map<string, GalleryBundle>();
  for (const [at, bundle] of bundles.entries()) {
    writeFileSync(join(folder, `${bundle.name}.json`), JSON.stringify(bundle.data));
    const read = `JSON.parse((await import("node:fs")).readFileSync("gallery/${bundle.name}.json", "utf8"))`;
    sources.set(`const shown${at} = await (await import("attention-lab")).display(${read}, { raw: true });`, bundle);
  }
  writeNotebook(name, [...sources.keys()], (source) => sources.get(source)?.data ?? {});
  return bundles;
}

interface Content {
  notebookConfig: { windowingMode: string };
  scrollToItem(index: number, align: string): Promise<void>;
}
interface Jupyter {
  readonly jupyterapp: { readonly shell: { readonly currentWidget: { readonly content: Content } } };
}

/** Changes the windowing mode of the notebook in front. */
export async function setWindowing(page: Page, mode: WindowingMode): Promise<void> {
  await page.evaluate((windowingMode) => {
    const { content } = (window as unknown as Jupyter).jupyterapp.shell.currentWidget;
    content.notebookConfig = { ...content.notebookConfig, windowingMode };
  }, mode);
}

/** Brings a cell's figure into view, also where the notebook keeps cells out of the document, and returns it. */
export async function figureAt(page: Page, cell: number): Promise<Locator> {
  const figure = page.locator(`.jp-Cell[data-windowed-list-index="${cell}"] .jp-AttentionRenderer`);
  await page.evaluate(
    (index) => (window as unknown as Jupyter).jupyterapp.shell.currentWidget.content.scrollToItem(index, "start"),
    cell,
  );
  await figure.waitFor();
  await figure.evaluate((node) => node.scrollIntoView({ block: "nearest" }));
  return figure;
}

/** A notebook of the gallery, open on one page for all tests of a file. */
export interface GalleryLab {
  readonly lab: Lab;
  readonly bundles: readonly GalleryBundle[];
  /** Does something with every figure, each scrolled into view, and gathers what it finds wrong. */
  everyFigure(find: (figure: Locator, bundle: GalleryBundle) => Promise<readonly string[]>): Promise<readonly string[]>;
}

/**
 * Opens an example of every view, so a new view is tested without a line. Each test goes through all of them in one setting; every
 * example × mode × theme × state × application is gone through by ATTENTION_LAB_VIEWS=all (everyView.spec.ts). Call it at the top of the file.
 */
export function galleryLab(name: string): GalleryLab {
  const opened = { lab: undefined as unknown as Lab, bundles: [] as readonly GalleryBundle[] };
  test.beforeAll(async ({ browser }: { browser: Browser }) => {
    opened.bundles = await writeGallery(name);
    opened.lab = await openNotebook(await browser.newPage(), name);
  });
  test.afterAll(() => opened.lab.page.close());
  return Object.assign(opened, {
    async everyFigure(find: Parameters<GalleryLab["everyFigure"]>[0]) {
      const faults: string[] = [];
      for (const [at, bundle] of opened.bundles.entries()) {
        const found = await find(await figureAt(opened.lab.page, at), bundle);
        faults.push(...found.map((fault) => `${bundle.name}: ${fault}`));
      }
      return faults;
    },
  });
}
