import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root, venvProgram } from "../environment.js";
import { strongestHead } from "../minilm.js";
import { scienceAnswers } from "./scienceAnswers.js";

interface Output {
  readonly output_type: string;
  readonly text?: string[] | string;
  readonly data?: Readonly<Record<string, unknown>>;
}
interface Notebook {
  readonly cells: readonly { readonly cell_type: string; readonly outputs?: readonly Output[] }[];
}

/** What the last cell of each notebook must say. */
const answers: Readonly<Record<string, () => { readonly text: RegExp; readonly values: readonly number[] }>> = {
  "01-first-look.ipynb": () => {
    const sep = strongestHead((tokens) => tokens - 1);
    const cls = strongestHead(() => 0);
    const said = ({ layer, head }: typeof sep): string => `L${layer}\\.H${head} puts (\\d\\.\\d{4})`;
    return {
      text: new RegExp(`^${said(sep)} of its attention on \\[SEP\\]; ${said(cls)} on \\[CLS\\]$`),
      values: [sep.mass, cls.mass],
    };
  },
};

const folder = mkdtempSync(join(tmpdir(), "attention-lab-notebooks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function nbconvert(format: string, input: string, ...extra: string[]): string {
  const args = ["nbconvert", "--log-level=WARN", "--to", format, ...extra, "--output-dir", folder, input];
  execFileSync(venvProgram("jupyter"), args, { cwd: join(root, "notebooks"), stdio: ["ignore", "pipe", "pipe"] });
  return join(folder, input.split("/").pop()!.replace(/\.ipynb$/, format === "html" ? ".html" : ".ipynb"));
}

describe.each(readdirSync(join(root, "notebooks")).filter((name) => name.endsWith(".ipynb")))("%s", (name) => {
  let copy: string;
  let outputs: readonly (readonly Output[])[];

  it("runs headless without an error", () => {
    copy = nbconvert("notebook", join(root, "notebooks", name), "--execute");
    const notebook = JSON.parse(readFileSync(copy, "utf8")) as Notebook;
    outputs = notebook.cells.filter((cell) => cell.cell_type === "code").map((cell) => cell.outputs ?? []);
    expect(outputs.flat().filter((output) => output.output_type === "error")).toEqual([]);
  }, 180_000);

  it("holds each figure as its own type, a picture and several lines of text", () => {
    const figures = outputs.flat().filter(({ data }) => Object.keys(data ?? {}).some((mime) => mime.includes("attention-lab")));
    expect(figures.length).toBeGreaterThan(0);
    for (const { data } of figures) {
      expect(Buffer.from(String(data!["image/png"]), "base64").subarray(1, 4).toString()).toBe("PNG");
      expect([data!["text/plain"]].flat().join("").split("\n").length).toBeGreaterThan(2);
      expect(Object.keys(data!)).not.toContain("image/svg+xml");
    }
  });

  it("stays under 1 MB", () => expect(statSync(copy).size).toBeLessThan(1_000_000));

  it("ends in the numbers that Hugging Face's patterns give", async () => {
    const { text, values } = name in answers ? answers[name]() : await scienceAnswers[name]();
    const shown = [outputs.at(-1)![0].data!["text/plain"]].flat().join("").replace(/^['"`]|['"`]$/g, "");
    expect(shown).toMatch(text);
    const found = text.exec(shown)!.slice(1).map(Number);
    values.forEach((value, at) => expect(Math.abs(found[at] - value)).toBeLessThan(1e-4));
  });

  it("shows the picture in HTML and runs no script of ours there", () => {
    const html = readFileSync(nbconvert("html", copy), "utf8");
    expect(html).toMatch(/<img[^>]+src="data:image\/png;base64,[^"]+"\s+width="\d{3}"/);
    expect(html).not.toMatch(/remoteEntry|attention-lab-extension/);
  }, 120_000);
});
