// Makes the pictures in docs that show gallery examples: node tests/gallery/pictures.mjs [file…]
// Those of JupyterLab (first-look-light, focus-dark, ablation-light) are what the browser tests leave in test-results/pictures.
import { fileURLToPath } from "node:url";
import { buildGallery, launch, openGallery } from "./open.mjs";

const out = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));

/** Points at a place of a picture, given as shares of its size. */
async function pointAt(page, selector, across, down, click = false) {
  const { x, y, width, height } = await page.locator(selector).first().boundingBox();
  const place = [x + across * width, y + down * height];
  await page.mouse.move(place[0] - 3, place[1]);
  await page.mouse.move(...place);
  if (click) await page.mouse.click(...place);
}

/** A head at full size, then a part of it with the weights of a row. */
async function zoomHead(page) {
  await page.locator('[role=gridcell][data-layer="3"][data-head="1"]').click();
  const matrix = page.locator(".jp-AttentionFocus-matrix");
  await matrix.focus();
  for (const key of ["+", "+"]) await page.keyboard.press(key);
  await pointAt(page, ".jp-AttentionFocus-matrix", 0.63, 0.71);
  await page.keyboard.press("l");
}

const pictures = {
  "ablation-table-light": { example: "ablation" },
  "attribution-graph-dark": { example: "graph", theme: "dark" },
  "audio-timeline-light": { example: "audio" },
  "compared-light": { example: "compared" },
  "curves-dark": { example: "training", theme: "dark" },
  "head-zoomed-light": { example: "decoder", act: zoomHead },
  "image-attention-light": { example: "overlay", width: 420 },
  "model-diagram-light": { example: "diagram" },
  "scatter-light": { example: "roles" },
  "token-strip-light": { example: "strip", act: lookFromToken },
  "written-dark": { example: "written", theme: "dark" },
};

/** Where one token looks, with its lines. */
async function lookFromToken(page) {
  await page.locator('.jp-AttentionStrip [data-at="30"]').first().click();
  await page.getByRole("button", { name: "Lines" }).click();
}

const wanted = process.argv.slice(2).length ? process.argv.slice(2) : Object.keys(pictures);
const unknown = wanted.find((file) => !pictures[file]);
if (unknown) throw new Error(`pictures: unknown ${unknown}; known: ${Object.keys(pictures).join(", ")}`);
const address = await buildGallery();
const browser = await launch();
try {
  for (const file of wanted) {
    const { example, theme = "light", width = 900, act } = pictures[file];
    const page = await openGallery(browser, address, { theme, width, height: 1300 });
    await page.evaluate((name) => globalThis.gallery.draw(name), example);
    await act?.(page);
    await page.waitForTimeout(400);
    await page.locator("#host").screenshot({ path: `${out}${file}.png` });
    await page.close();
  }
} finally {
  await browser.close();
}
