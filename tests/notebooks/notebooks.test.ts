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

interface Answer {
  readonly text: RegExp;
  readonly values: readonly number[];
  /** How far each may be off; by default 10⁻⁴. */
  readonly within?: readonly number[];
}

/** What the last cell of each notebook must say. */
const answers: Readonly<Record<string, () => Answer>> = {
  "01-first-look.ipynb": () => {
    const sep = strongestHead((tokens) => tokens - 1);
    const cls = strongestHead(() => 0);
    const said = ({ layer, head }: typeof sep): string => `L${layer}\\.H${head} puts (\\d\\.\\d{4})`;
    return {
      text: new RegExp(`^${said(sep)} of its attention on \\[SEP\\]; ${said(cls)} on \\[CLS\\]$`),
      values: [sep.mass, cls.mass],
    };
  },
  // What the paper claims, at this scale: a sink with softmax, none with ReLU, the task learned by all; and that SGD has one.
  "06-a-sink-is-born.ipynb": () => ({
    text: /^softmax: (\d\.\d+) on <s> elsewhere, (\d\.\d+) after triggers; ReLU: (\d\.\d+); SGD: (\d\.\d+); losses after triggers (\d\.\d+), (\d\.\d+) and (\d\.\d+)$/,
    values: [0.64, 0, 0, 0.8, 0, 0, 0],
    within: [0.12, 0.05, 0.05, 0.15, 0.05, 0.05, 0.05],
  }),
  // arXiv:2503.12734 §3: errors of one head and of two, one step of gradient descent, and outputs that cancel.
  "07-two-heads-descend.ipynb": () => ({
    text: /^1 head: (\d\.\d+); 2 heads: (\d\.\d+), one step of gradient descent (\d\.\d+); the two values of y add up to (\d\.\d+)$/,
    values: [0.407, 0.245, 0.2398, 0],
    within: [0.03, 0.03, 1e-4, 0.1],
  }),
  // arXiv:2312.04927: attention recalls, and so do memories with room enough; a fixed query is at chance, one in three.
  "08-associative-recall.ipynb": () => ({
    text: /^recalled: softmax (\d\.\d+), based (\d\.\d+), linear (\d\.\d+), delta rule (\d\.\d+), aaren (\d\.\d+)$/,
    values: [1, 1, 0.93, 1, 0.3],
    within: [0.06, 0.06, 0.15, 0.06, 0.12],
  }),
  // arXiv:2410.10781: a sink with softmax and none with sigmoid, at the same loss; a weaker one at a small rate; none under strong decay.
  "09-when-a-sink-emerges.ipynb": () => ({
    text: /^on <s>: softmax (\d\.\d+), sigmoid (\d\.\d+), small rate (\d\.\d+), decay 1 (\d\.\d+), decay 5 (\d\.\d+); losses of softmax and sigmoid (\d\.\d+) and (\d\.\d+)$/,
    values: [0.52, 0, 0.39, 0.37, 0.11, 1.265, 1.265],
    within: [0.08, 0.05, 0.06, 0.08, 0.1, 0.03, 0.03],
  }),
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
  }, 400_000);

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

  it("ends in the numbers that Hugging Face's patterns, or a paper, give", async () => {
    const answer: Answer = name in answers ? answers[name]() : await scienceAnswers[name]();
    const { text, values, within = values.map(() => 1e-4) } = answer;
    const shown = [outputs.at(-1)![0].data!["text/plain"]].flat().join("").replace(/^['"`]|['"`]$/g, "");
    expect(shown).toMatch(text);
    const found = text.exec(shown)!.slice(1).map(Number);
    values.forEach((value, at) => expect(Math.abs(found[at] - value)).toBeLessThanOrEqual(within[at]));
  });

  it("shows the picture in HTML and runs no script of ours there", () => {
    const html = readFileSync(nbconvert("html", copy), "utf8");
    expect(html).toMatch(/<img[^>]+src="data:image\/png;base64,[^"]+"\s+width="\d{3}"/);
    expect(html).not.toMatch(/remoteEntry|attention-lab-extension/);
  }, 120_000);
});
