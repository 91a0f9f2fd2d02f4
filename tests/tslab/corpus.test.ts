import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../environment.js";
import { startKernel, type Client } from "../protocol/client.js";
import { corpus, type Case } from "./corpus.js";
import { withTable, type Row } from "./document.js";
import { outcomeOf, type Outcome } from "./outcome.js";
import { startTslab } from "./tslabKernel.js";

const folder = fileURLToPath(new URL("notebook", import.meta.url));
const document = join(root, "docs", "tslab.md");

describe("cells on tslab and on our kernel", () => {
  const found = new Map<Case, { readonly tslab: readonly Outcome[]; readonly ours: readonly Outcome[] }>();
  let stop = async (): Promise<void> => {};

  beforeAll(async () => {
    const [first, ours] = await Promise.all([startTslab(folder), startKernel({ cwd: folder })]);
    let tslab = first;
    stop = async () => void (await Promise.all([tslab.stop(), ours.stop()]));
    const outcomes = async (client: Client, { cells }: Case): Promise<readonly Outcome[]> => {
      const all: Outcome[] = [];
      for (const cell of cells) all.push(await outcomeOf(client, cell));
      return all;
    };
    for (const entry of Object.values(corpus).flat()) {
      let theirs = await outcomes(tslab.client, entry);
      // tslab watches node_modules: after any file there was touched it answers every cell with this. It is started afresh.
      for (let tries = 0; tries < 3 && theirs.some(({ text }) => text.includes("pending rebuildTimer")); tries++) {
        await tslab.stop();
        tslab = await startTslab(folder);
        theirs = await outcomes(tslab.client, entry);
      }
      found.set(entry, { tslab: theirs, ours: await outcomes(ours.client, entry) });
    }
  }, 240_000);
  afterAll(() => stop());

  const texts = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ text }) => text);
  const rowOf = (entry: Case): Row => {
    const { tslab, ours } = found.get(entry)!;
    // How much tslab loses of a flood differs from run to run.
    const lost = texts(tslab).map((text) => (/^\d+ lines$/.test(text) ? "fewer lines" : text));
    return { entry, tslab: lost, ours: texts(ours) };
  };

  describe.each(Object.entries(corpus))("%s", (_, cases) => {
    test.each(cases.map((entry) => [entry.cells.join(" ⏎ "), entry] as const))("%s", (_, entry) => {
      const { tslab, ours } = rowOf(entry);
      if (entry.differs) expect(ours).not.toEqual(tslab);
      else expect(ours).toEqual(tslab);
    });
  });

  test("what runs on tslab runs on our kernel", () => {
    const broken = [...found].filter(([, { tslab, ours }]) => tslab.some(({ isOk }, at) => isOk && !ours[at]?.isOk));
    expect(broken.map(([{ cells }]) => cells)).toEqual([]);
  });

  test("docs/tslab.md lists the differences as they are", async () => {
    const rows = Object.fromEntries(Object.entries(corpus).map(([area, cases]) => [area, cases.map(rowOf)]));
    const written = readFileSync(document, "utf8");
    const options = { ...(await resolveConfig(document)), parser: "markdown" };
    const made = await format(withTable(written, rows), options);
    if (process.env["WRITE_DOCS"] === "1") writeFileSync(document, made);
    else expect(written, "run this test with WRITE_DOCS=1 and read what has changed").toBe(made);
  });
});
