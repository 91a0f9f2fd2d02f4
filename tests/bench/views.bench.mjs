// Draws gallery examples in a real Chromium and measures what a reader waits for. Prints one JSON line per figure.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildGallery, launch, openGallery } from "../gallery/open.mjs";

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1];
const report = (name, ms, budgetMs) =>
  console.log(JSON.stringify({ name, ms: Number(ms.toFixed(1)), budgetMs, within: ms <= budgetMs }));

const built = fileURLToPath(new URL("../../extension/labextension/static/", import.meta.url));
const scripts = (await readdir(built)).filter((name) => name.endsWith(".js"));
const contents = await Promise.all(scripts.map((name) => readFile(built + name)));
// The chunk with the payload reader comes with the first figure; everything else is there when JupyterLab starts.
const early = contents.filter((text) => !text.includes("PayloadError"));
const kilobytes = early.reduce((sum, text) => sum + text.length, 0) / 1000;
console.log(JSON.stringify({ name: "JavaScript at start-up", kilobytes, budget: 60, within: kilobytes <= 60 }));

const address = await buildGallery();
const browser = await launch();
try {
  const cold = [];
  const warm = [];
  for (let run = 0; run < 5; run++) {
    const page = await openGallery(browser, address);
    cold.push(await page.evaluate(() => globalThis.gallery.draw("decoder")));
    warm.push(await page.evaluate(() => globalThis.gallery.draw("decoder")));
    await page.close();
  }
  report("first paint, 12 × 12 at T = 64, new page", median(cold), 150);
  report("first paint, 12 × 12 at T = 64, warm", median(warm), 150);

  const page = await openGallery(browser, address, { height: 1100 });
  report("first paint, 12 × 12 at T = 512 pooled", await page.evaluate(() => globalThis.gallery.draw("long")), 200);

  await page.evaluate(() => globalThis.gallery.draw("decoder"));
  const hover = await page.evaluate(() => globalThis.gallery.hover(300));
  report("hover in the grid, event to styled frame, p95", quantile(hover, 0.95), 16);
  report(
    "recolour 144 heads, median",
    median(await page.evaluate(() => globalThis.gallery.act("next-palette", 15))),
    16,
  );
  report(
    "change of scale, 144 heads, median",
    median(await page.evaluate(() => globalThis.gallery.act("toggle-scale", 15))),
    50,
  );
  report("open a head, median", median(await page.evaluate(() => globalThis.gallery.open(9))), 50);
  const focused = await page.evaluate(() => globalThis.gallery.hoverFocused(300));
  report("hover in a head, event to styled frame, p95", quantile(focused, 0.95), 16);
} finally {
  await browser.close();
}
