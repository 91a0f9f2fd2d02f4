// Draws every gallery example over and over and measures what stays behind. Prints one JSON line per example.
//   node tests/bench/viewLeaks.bench.mjs [name…]
//
// The first redraws fill what a page keeps once (compiled code, inline caches, fonts), so 20 come first. Then the heap is read, with its
// garbage collected, after each of five blocks of 20. What leaks grows in every block, what the page keeps now and then grows in one: the
// median of the blocks is the growth. An example beyond the limit is measured once more in blocks of 100: a leak stays, noise shrinks to a
// fifth. Two controls say what the method sees: nothing drawn at all, and 4 KB planted in every redraw.
import { buildGallery, launch, openGallery } from "../gallery/open.mjs";
import { heapOf } from "./heap.mjs";

const block = 20;
const blocks = 5;
const limit = 2;
const planted = 4096;
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const address = await buildGallery();
const browser = await launch();
try {
  const page = await openGallery(browser, address, { height: 1100 });
  const devtools = await page.context().newCDPSession(page);
  const heapBytes = heapOf(devtools);
  /** Kilobytes per redraw, and nodes and listeners over all of them. */
  const growth = async (name, { times = block, plant = 0 } = {}) => {
    const redraw = () =>
      page.evaluate(([each, count, bytes]) => globalThis.gallery.redraw(each, count, bytes), [name, times, plant]);
    await redraw();
    const heaps = [await heapBytes()];
    const before = await devtools.send("Memory.getDOMCounters");
    for (let at = 0; at < blocks; at++) {
      await redraw();
      heaps.push(await heapBytes());
    }
    const after = await devtools.send("Memory.getDOMCounters");
    const grown = heaps.slice(1).map((bytes, at) => Number(((bytes - heaps[at]) / times / 1000).toFixed(1)));
    await page.evaluate(() => globalThis.gallery.clear());
    return {
      kilobytesPerRedraw: median(grown),
      blocks: grown,
      nodes: after.nodes - before.nodes,
      listeners: after.jsEventListeners - before.jsEventListeners,
    };
  };
  const say = (name, found, within) => console.log(JSON.stringify({ name, ...found, within }));

  const names = await page.evaluate(() => globalThis.gallery.names);
  const nothing = await growth("");
  say("control: nothing drawn", nothing, Math.abs(nothing.kilobytesPerRedraw) <= limit);
  const leak = await growth(names[0], { plant: planted });
  say("control: 4.1 KB planted", leak, leak.kilobytesPerRedraw > limit && leak.kilobytesPerRedraw < 3 * limit);
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : names) {
    let found = await growth(name);
    if (found.kilobytesPerRedraw > limit) found = await growth(name, { times: 5 * block });
    say(name, found, found.kilobytesPerRedraw <= limit && found.nodes <= 20 && found.listeners <= 2);
  }
} finally {
  await browser.close();
}
