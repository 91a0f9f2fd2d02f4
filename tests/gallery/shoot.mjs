// Photographs gallery examples in a real Chromium, light and dark, at two widths, into test-results/gallery.
// node tests/gallery/shoot.mjs [name…]
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildGallery, launch, openGallery } from "./open.mjs";

const out = fileURLToPath(new URL("../../test-results/gallery/", import.meta.url));
await mkdir(out, { recursive: true });
const address = await buildGallery();
const browser = await launch();
try {
  for (const theme of ["light", "dark"]) {
    for (const width of [900, 420]) {
      const page = await openGallery(browser, address, { theme, width });
      page.on("pageerror", (error) => console.error(error.message));
      const names = process.argv.slice(2).length
        ? process.argv.slice(2)
        : await page.evaluate(() => globalThis.gallery.names);
      for (const name of names) {
        await page.evaluate((each) => globalThis.gallery.draw(each), name);
        await page.waitForTimeout(100);
        await page.locator("#host").screenshot({ path: `${out}${name}-${theme}-${width}.png` });
      }
      await page.close();
    }
  }
} finally {
  await browser.close();
}
