// Views of the same attention, side by side in the same Chromium: ours, BertViz' head_view and CircuitsVis' attention_heads.
//   node tests/bench/viewPeers.bench.mjs [T…] [--python <interpreter>] [--packages <folder>] [--runs n] [--limit seconds]
// The other sides are not dependencies of the project:
//   <interpreter> -m pip install bertviz==1.4.1 circuitsvis==1.43.3 torch ipython
//   npm install --prefix <folder> d3@5.7.0 jquery@2.2.4 requirejs@2.3.6     (what BertViz asks of a CDN; npm has no jquery 2.0.0)
// All pages come from this machine, nothing from a network, in a browser that has shown a page before. Wall times, and processor time of the
// page's main thread, which other work on the machine does not change and the ratios are of; medians. An empty page tells what any page
// costs. What takes longer than the limit is given up, and told.
import { execFileSync } from "node:child_process";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { createServer } from "node:http";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { headGrid, headGridMime } from "attention-lab/views";
import { buildPage, launch } from "../gallery/open.mjs";
import { clock } from "./viewPeers/clock.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string" },
    packages: { type: "string" },
    runs: { type: "string", default: "3" },
    limit: { type: "string", default: "120" },
  },
});
const lengths = positionals.length > 0 ? positionals.map(Number) : [32, 128, 512];
const limitMs = 1000 * Number(values.limit);
const folder = mkdtempSync(join(tmpdir(), "attention-lab-bench-"));
const writer = fileURLToPath(new URL("viewPeers/pages.py", import.meta.url));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** Causal softmax rows over logits of a linear congruential generator: what all sides are given. */
function patternsOf(heads, tokens) {
  const patterns = new Float32Array(heads * tokens * tokens);
  let state = 1;
  for (let row = 0; row < heads * tokens; row++) {
    const visible = (row % tokens) + 1;
    let sum = 0;
    for (let key = 0; key < visible; key++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      sum += patterns[row * tokens + key] = Math.exp((4 * state) / 2 ** 32);
    }
    for (let key = 0; key < visible; key++) patterns[row * tokens + key] /= sum;
  }
  return patterns;
}

function ourPage(path, patterns, tokens, layers, budgetBytes) {
  const square = tokens.length ** 2;
  const pattern = (layer, head) => patterns.subarray((layer * 12 + head) * square, (layer * 12 + head + 1) * square);
  const samples = [{ queryTokens: tokens, keyTokens: tokens, pattern }];
  const input = { title: "Heads", layers, heads: 12, causal: true, samples, provenance: { model: "random weights" } };
  const payload = JSON.stringify(headGrid(input, budgetBytes ? { budgetBytes } : {})).replaceAll("<", "\\u003c");
  writeFileSync(
    path,
    '<!doctype html><meta charset="utf-8"><title>ours</title><link rel="stylesheet" href="page.css">' +
      `<body><div id="host" class="jp-AttentionRenderer"></div><script type="application/json" id="payload" data-mime="${headGridMime}">` +
      `${payload}</script><script type="module" src="page.js"></script></body>`,
  );
}

const sides = [
  { name: "an empty page", empty: true, hover: ["body", "mousemove"] },
  { name: "ours, 12 heads", layers: 1, hover: [".jp-AttentionGrid-stage", "pointermove"] },
  {
    name: "ours, 12 heads, every weight kept",
    layers: 1,
    budgetBytes: 20e6,
    hover: [".jp-AttentionGrid-stage", "pointermove"],
  },
  { name: "ours, 144 heads", layers: 12, hover: [".jp-AttentionGrid-stage", "pointermove"] },
  { name: "BertViz, 12 heads", peer: "bertviz", layers: 1, hover: ["#left > g:last-child > g", "mouseover"] },
  {
    name: "BertViz, 144 heads, 12 of them drawn",
    peer: "bertviz",
    layers: 12,
    hover: ["#left > g:last-child > g", "mouseover"],
  },
  { name: "CircuitsVis, 12 heads", peer: "circuitsvis", layers: 1, hover: ["[id^=circuits-vis] canvas", "mousemove"] },
];
// Another head at full size: ours by a click, CircuitsVis by hovering over its small picture; BertViz shows no single head.
const switches = { ours: ["[role=gridcell]", "click"], circuitsvis: ["h4 + div", "mouseover"] };

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const server = createServer(({ url }, response) => {
  const path = join(folder, decodeURIComponent(url));
  response.writeHead(existsSync(path) ? 200 : 404, { "content-type": types[extname(path)] ?? "text/plain" });
  if (existsSync(path)) createReadStream(path).pipe(response);
  else response.end();
}).listen(0, "127.0.0.1");

/** Opens a page and measures it; the reason where it cannot be. */
async function measure(path, side) {
  const browser = await launch(["--disable-frame-rate-limit", "--disable-gpu-vsync"]);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`more than ${values.limit} s`)), limitMs);
  });
  try {
    const work = async () => {
      const first = await browser.newPage();
      await first.goto("data:text/html,first");
      const page = await browser.newPage({ viewport: { width: 1000, height: 1000 } });
      page.setDefaultTimeout(0);
      const problems = [];
      page.on("pageerror", ({ message }) => problems.push(message));
      await page.addInitScript(clock);
      const address = `http://127.0.0.1:${server.address().port}`;
      await page.goto(`${address}/page.css`);
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
      const used = async () => {
        const { metrics } = await devtools.send("Performance.getMetrics");
        return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
      };
      const idle = await used();
      await page.goto(`${address}/${basename(path)}`, { waitUntil: "commit", timeout: 0 });
      const load = await page.evaluate(() => globalThis.clock.loaded());
      const loadCpu = (await used()) - idle;
      const react = async ([selector, event]) => {
        const before = await used();
        const times = await page.evaluate((args) => globalThis.clock.react(...args), [selector, event, 30, 10_000]);
        return [median(times), ((await used()) - before) / times.length];
      };
      const [hover, hoverCpu] = await react(side.hover);
      const another = side.empty ? undefined : switches[side.peer ?? "ours"];
      const [turned, turnedCpu] = another ? await react(another) : [];
      if (problems.length > 0) throw new Error(problems[0]);
      return { load, loadCpu, hover, hoverCpu, turned, turnedCpu };
    };
    return await Promise.race([work(), late]);
  } catch (error) {
    return { failed: error.message.split("\n")[0].slice(0, 120) };
  } finally {
    globalThis.clearTimeout(timer);
    await browser.close().catch(() => undefined);
  }
}

try {
  await buildPage(fileURLToPath(new URL("viewPeers/ours.ts", import.meta.url)), folder, { modules: true });
  if (values.packages) symlinkSync(join(values.packages, "node_modules"), join(folder, "scripts"));
  for (const T of lengths) {
    const tokens = Array.from({ length: T }, (_, at) => `word${at}`);
    const patterns = patternsOf(144, T);
    const data = join(folder, `data-${T}`);
    mkdirSync(data);
    writeFileSync(join(data, "tokens.json"), JSON.stringify(tokens));
    writeFileSync(join(data, "attention.f32"), patterns);
    const ours = new Map();
    for (const [at, side] of sides.entries()) {
      const path = join(folder, `page-${at}-${T}.html`);
      if (side.empty) writeFileSync(path, "<!doctype html><title>empty</title><body>nothing</body>");
      else if (!side.peer) ourPage(path, patterns, tokens, side.layers, side.budgetBytes);
      else if (values.python && values.packages)
        execFileSync(values.python, [writer, data, side.peer, String(side.layers), path], { stdio: "inherit" });
      else {
        console.log(`${side.name}: left out, needs --python and --packages`);
        continue;
      }
      const found = [];
      // What is given up, or takes more than a tenth of the limit, is not tried again.
      do found.push(await measure(path, side));
      while (found.length < Number(values.runs) && !found.at(-1).failed && found.at(-1).load < limitMs / 10);
      const of = (what) => (found[0][what] === undefined ? undefined : median(found.map((each) => each[what])));
      const wall = { loadWallMs: of("load"), hoverWallMs: of("hover"), switchWallMs: of("turned") };
      const shown = { loadMs: of("loadCpu"), hoverMs: of("hoverCpu"), switchMs: of("turnedCpu") };
      if (!side.peer && !ours.has(side.layers)) ours.set(side.layers, shown);
      const ratios = Object.entries(shown).flatMap(([what, ms]) => side.peer && ms ? [[`${what} ÷ ours`, ms / ours.get(side.layers)[what]]] : []); // prettier-ignore
      const row = { T, side: side.name, runs: found.length, megabytes: statSync(path).size / 1e6, ...wall, ...shown, ...Object.fromEntries(ratios), failed: found[0].failed }; // prettier-ignore
      console.log(
        JSON.stringify(row, (_, value) => (typeof value === "number" ? Number(value.toPrecision(3)) : value)),
      );
      rmSync(path);
    }
  }
} finally {
  server.close();
  rmSync(folder, { recursive: true, force: true });
}
