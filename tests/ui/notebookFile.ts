import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Ports of the test servers, one for each worker; each server has a home folder of its own, so that they do not meet. */
export const ports: readonly number[] = [0, 1].map(
  (at) => Number(process.env["ATTENTION_LAB_TEST_PORT"] ?? 18_899) + at,
);
/** The port of this worker's server. */
export const port: number = ports[Number(process.env["TEST_PARALLEL_INDEX"] ?? 0)];

/** The folder that this worker's server serves. */
export const notebookFolder: string = fileURLToPath(new URL(`../../.jupyter-test/${port}/notebooks`, import.meta.url));

/** Writes a notebook of code cells, and perhaps of their values, into the folder that this worker's server serves. */
export function writeNotebook(
  name: string,
  cells: readonly string[],
  bundleOf?: (source: string) => Readonly<Record<string, unknown>>,
): void {
  mkdirSync(notebookFolder, { recursive: true });
  const kernelspec = { name: "attention-lab", display_name: "Attention Lab (TypeScript)", language: "typescript" };
  const content = {
    cells: cells.map((source, at) => ({
      ...{ cell_type: "code", id: `cell-${at}`, execution_count: null, metadata: {}, source },
      outputs: bundleOf ? [{ output_type: "display_data", metadata: {}, data: bundleOf(source) }] : [],
    })),
    metadata: { kernelspec },
    nbformat: 4,
    nbformat_minor: 5,
  };
  writeFileSync(join(notebookFolder, name), JSON.stringify(content));
}
