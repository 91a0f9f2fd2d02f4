// Bundles the gallery page with the same sources as the extension and opens it in Chromium.
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { build } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

const themes = {
  light: {
    "--jp-ui-font-color1": "rgba(0,0,0,0.87)",
    "--jp-ui-font-color2": "rgba(0,0,0,0.54)",
    "--jp-layout-color1": "#ffffff",
    "--jp-layout-color2": "#eeeeee",
    "--jp-border-color2": "#e0e0e0",
    "--jp-brand-color1": "#1976d2",
  },
  dark: {
    "--jp-ui-font-color1": "rgba(255,255,255,0.87)",
    "--jp-ui-font-color2": "rgba(255,255,255,0.54)",
    "--jp-layout-color1": "#111111",
    "--jp-layout-color2": "#424242",
    "--jp-border-color2": "#424242",
    "--jp-brand-color1": "#2196f3",
  },
};

/**
 * Bundles a page's script and the extension's styles into `page.js` and `page.css` of a folder: one script that opens from a file, or
 * with `modules` what a server gives, in parts that are loaded when they are needed.
 */
export async function buildPage(entry, out, { modules = false } = {}) {
  await mkdir(out, { recursive: true });
  await build({
    root,
    configFile: false,
    logLevel: "error",
    resolve: {
      alias: [
        { find: /^attention-lab\/views$/, replacement: `${root}kernel/views/index.ts` },
        { find: /^attention-lab\/figure$/, replacement: `${root}kernel/figure/index.ts` },
      ],
    },
    build: {
      outDir: out,
      emptyOutDir: true,
      cssCodeSplit: false,
      ...(modules
        ? { rollupOptions: { input: entry, output: { entryFileNames: "page.js" } } }
        : { lib: { entry: [entry], formats: ["iife"], name: "page", fileName: () => "page.js" } }),
    },
  });
  await build({
    root,
    configFile: false,
    logLevel: "error",
    build: {
      outDir: out,
      emptyOutDir: false,
      rollupOptions: { input: `${root}style/index.css`, output: { assetFileNames: "page.css" } },
    },
  });
}

/** Builds the gallery once; returns its address. */
export async function buildGallery() {
  const out = `${root}.cache/gallery`;
  await buildPage(`${root}tests/gallery/page.ts`, out);
  await writeFile(
    `${out}/page.html`,
    '<!doctype html><meta charset="utf-8"><title>Attention Lab gallery</title><link rel="stylesheet" href="page.css">' +
      '<style>body{margin:0;font-family:"DejaVu Sans",sans-serif;background:var(--jp-layout-color1)}' +
      "#host{margin:0 12px}</style>" +
      '<body><div id="host" class="jp-AttentionRenderer"></div><script src="page.js"></script></body>',
  );
  return `file://${out}/page.html`;
}

/** A Chromium for measurements: an installed one, no sandbox because tests may run as root; `more` adds to its arguments. */
export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking", ...more],
  });
}

/** The gallery page in a theme and a width. */
export async function openGallery(browser, address, { theme = "light", width = 900, height = 900, scale = 1 } = {}) {
  const page = await browser.newPage({ viewport: { width: width + 24, height }, deviceScaleFactor: scale });
  await page.goto(address);
  await page.evaluate((variables) => {
    for (const [name, value] of Object.entries(variables)) globalThis.document.body.style.setProperty(name, value);
  }, themes[theme]);
  return page;
}
