// Draws gallery examples in a real Chromium and measures what a reader waits for. Prints one JSON line per figure.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { headGrid, headGridMime } from "attention-lab/views";
import { buildGallery, launch, openGallery } from "../gallery/open.mjs";
import { heapOf } from "./heap.mjs";

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

  // A head of 2048 tokens, 144 times: four patterns in turn.
  const tokens = Array.from({ length: 2048 }, (_, at) => `word${at}`);
  const patterns = [0.5, 1, 2, 4].map((power) => {
    const pattern = new Float32Array(2048 * 2048);
    for (let query = 0; query < 2048; query++) {
      const row = pattern.subarray(query * 2048, query * 2048 + query + 1);
      row.forEach((_, key) => (row[key] = ((key * 7 + query * 3) % 97) ** power + 1));
      const sum = row.reduce((total, weight) => total + weight, 0);
      row.forEach((weight, key) => (row[key] = weight / sum));
    }
    return pattern;
  });
  const pattern = (layer, head) => patterns[(layer * 5 + head) % 4];
  const samples = [{ queryTokens: tokens, keyTokens: tokens, pattern }];
  const input = { title: "Long", layers: 12, heads: 12, causal: true, samples, provenance: {} };
  const longest = [headGridMime, JSON.parse(JSON.stringify(headGrid(input)))];
  const paint = await page.evaluate((args) => globalThis.gallery.drawPayload(...args), longest);
  report("T = 2048: first paint, 12 × 12", paint, 200);
  const over = await page.evaluate(() => globalThis.gallery.hover(300));
  report("T = 2048: hover in the grid, p95", quantile(over, 0.95), 16);
  report(
    "T = 2048: recolour, median",
    median(await page.evaluate(() => globalThis.gallery.act("next-palette", 15))),
    16,
  );
  report("T = 2048: open a head, median", median(await page.evaluate(() => globalThis.gallery.open(9))), 50);
  const within = await page.evaluate(() => globalThis.gallery.hoverFocused(300));
  report("T = 2048: hover in a head, p95", quantile(within, 0.95), 16);
  await page.close();

  // Every example: what it takes to draw it, to point at it, and of memory. What stays behind: viewLeaks.bench.mjs.
  const each = await openGallery(browser, address, { height: 1100 });
  const heapBytes = heapOf(await each.context().newCDPSession(each));
  for (const name of await each.evaluate(() => globalThis.gallery.names)) {
    const draw = () => each.evaluate((example) => globalThis.gallery.draw(example), name);
    const clear = () => each.evaluate(() => globalThis.gallery.clear());
    await draw();
    await clear();
    const empty = await heapBytes();
    const paints = [await draw()];
    const moves = await each.evaluate(() => globalThis.gallery.hoverLargest(100));
    const megabytes = Number((((await heapBytes()) - empty) / 1e6).toFixed(2));
    for (let run = 0; run < 8; run++) paints.push(await draw());
    report(`${name}: first paint, median of 9`, median(paints), 200);
    report(`${name}: hover over its largest picture, p95`, quantile(moves, 0.95), 16);
    console.log(JSON.stringify({ name: `${name}: heap`, megabytes, budget: 6, within: megabytes <= 6 }));
    await clear();
  }
} finally {
  await browser.close();
}
