import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { venvProgram } from "../environment.js";
import { galleryBundles, type GalleryBundle } from "../gallery/bundles.js";

/** What each viewer tries, the first that it can show; types of ours are unknown to all of them. */
const viewers: Readonly<Record<string, readonly string[]>> = {
  "nbconvert HTML, nbviewer": ["text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "text/plain"],
  "nbconvert LaTeX": ["text/latex", "application/pdf", "image/png", "image/jpeg", "image/svg+xml", "text/markdown"],
  "JupyterLab without the extension": ["text/html", "text/latex", "image/svg+xml", "image/png", "text/plain"],
  "VS Code": ["text/html", "text/markdown", "image/png", "image/svg+xml", "text/plain"],
};

const folder = mkdtempSync(join(tmpdir(), "attention-lab-static-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let bundles: readonly GalleryBundle[];
beforeAll(async () => {
  bundles = await galleryBundles();
  const cells = bundles.map(({ name, data }, at) => ({
    ...{ cell_type: "code", id: `cell-${at}`, execution_count: at + 1, metadata: {}, source: name },
    outputs: [{ output_type: "display_data", metadata: {}, data }],
  }));
  const notebook = { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
  writeFileSync(join(folder, "gallery.ipynb"), JSON.stringify(notebook));
}, 120_000);

function nbconvert(format: string, extension: string): string {
  const args = ["nbconvert", "--log-level=WARN", "--to", format, join(folder, "gallery.ipynb")];
  execFileSync(venvProgram("jupyter"), args, { stdio: ["ignore", "pipe", "pipe"] });
  return readFileSync(join(folder, `gallery.${extension}`), "utf8");
}

const pngSignature = Buffer.from("iVBORw0KGgo", "base64");

describe("a saved figure, where our extension is not", () => {
  it.each(Object.keys(viewers))("%s shows its picture", (viewer) => {
    for (const { name, data } of bundles)
      expect(
        viewers[viewer].find((mime) => mime in data),
        name,
      ).toBe("image/png");
  });

  it("holds a payload, a picture and several lines of text, nothing that a viewer would run, below 1 MB", () => {
    for (const { name, mime, title, data } of bundles) {
      expect(Object.keys(data).sort(), name).toEqual([mime, "image/png", "text/plain"].sort());
      expect(String(data["text/plain"]).split("\n").length, name).toBeGreaterThan(1);
      expect(String(data["text/plain"]), name).toContain(title);
      expect(JSON.stringify(data[mime]).length, name).toBeLessThanOrEqual(1_000_000);
    }
  });

  it("HTML has every picture, and no script but the page's own", () => {
    const html = nbconvert("html", "html");
    expect(html.match(/<img[^>]+src="data:image\/png;base64,/g)).toHaveLength(bundles.length);
    expect(html).not.toMatch(/attention-lab-extension|remoteEntry|application\/vnd\.attention-lab/);
  }, 120_000);

  it("Markdown and LaTeX have every picture as a file", () => {
    const markdown = nbconvert("markdown", "md");
    const latex = nbconvert("latex", "tex");
    expect(markdown.match(/!\[png\]\(gallery_files\/[^)]+\.png\)/g)).toHaveLength(bundles.length);
    expect(latex.match(/\\includegraphics\[?|\\adjustimage\{/g)?.length).toBeGreaterThanOrEqual(bundles.length);
    const files = readdirSync(join(folder, "gallery_files"));
    expect(files.filter((file) => file.endsWith(".png")).length).toBeGreaterThanOrEqual(bundles.length);
    for (const file of files)
      expect(readFileSync(join(folder, "gallery_files", file)).subarray(0, 8)).toEqual(pngSignature);
  }, 240_000);
});
