import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What a folder may import besides itself; a folder that is not here does not belong to the architecture. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "kernel/tensor": [],
  "kernel/views": ["kernel/tensor"],
  "kernel/figure": ["kernel/views"],
  "kernel/graph": ["kernel/tensor"],
  "kernel/attention": ["kernel/tensor", "kernel/graph"],
  "kernel/models": ["kernel/tensor", "kernel/graph", "kernel/attention", "kernel/views"],
  "kernel/tasks": ["kernel/tensor", "kernel/models"],
  "kernel/interventions": ["kernel/tensor", "kernel/graph", "kernel/attention", "kernel/models"],
  "kernel/probes": ["kernel/tensor", "kernel/graph", "kernel/models"],
  "kernel/analyses": [
    ...["kernel/tensor", "kernel/graph", "kernel/models", "kernel/views", "kernel/figure"],
    ...["kernel/interventions", "kernel/probes", "kernel/tasks"],
  ],
  "kernel/training": [
    ...["kernel/tensor", "kernel/graph", "kernel/attention", "kernel/models", "kernel/tasks"],
    ...["kernel/analyses", "kernel/views", "kernel/figure"],
  ],
  "kernel/live": ["kernel/tensor", "kernel/graph", "kernel/models", "kernel/views", "kernel/analyses"],
  "kernel/host": ["kernel/tensor", "kernel/graph", "kernel/models", "kernel/views", "kernel/figure"],
  "kernel/host/install": ["kernel/host"],
  "kernel/host/jupyter": [
    ...["kernel/tensor", "kernel/figure", "kernel/host"],
    ...["kernel/host/jupyter/cells", "kernel/host/jupyter/language"],
  ],
  "kernel/host/jupyter/cells": ["kernel/tensor"],
  "kernel/host/jupyter/language": ["kernel/tensor", "kernel/host/jupyter/cells"],
  kernel: [
    ...[
      "kernel/tensor",
      "kernel/graph",
      "kernel/attention",
      "kernel/models",
      "kernel/views",
      "kernel/figure",
      "kernel/host",
      "kernel/host/jupyter",
    ],
    ...["kernel/interventions", "kernel/probes", "kernel/analyses", "kernel/tasks", "kernel/training", "kernel/live"],
  ],
  "extension/src": ["kernel/views", "kernel/figure"],
};

/** Folders whose index is their registry: every other file there must be named in it. */
const registries = [
  ...[
    "kernel/models/families",
    "kernel/graph/ops",
    "kernel/interventions",
    "kernel/probes",
    "kernel/analyses",
    "kernel/tasks",
  ],
  ...["kernel/attention/mechanisms", "kernel/attention/masks", "kernel/attention/positions"],
  "kernel/training/optimisers",
];

const packages: Readonly<Record<string, string>> = {
  "attention-lab/views": "kernel/views/index.ts",
  "attention-lab/figure": "kernel/figure/index.ts",
};

function sourcesBelow(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = posix.join(folder, name);
    if (["node_modules", "lib", "labextension"].includes(name)) return [];
    if (statSync(join(root, path)).isDirectory()) return sourcesBelow(path);
    return name.endsWith(".ts") && !name.endsWith(".d.ts") ? [path] : [];
  });
}

const sources = [...sourcesBelow("kernel"), ...sourcesBelow("extension")];

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .flatMap((specifier) => {
      if (specifier in packages) return [packages[specifier]];
      if (!specifier.startsWith(".")) return [];
      const target = resolve(root, dirname(file), specifier).replace(/\.js$/, ".ts");
      return target.endsWith(".ts") && existsSync(target) ? [relative(root, target).replaceAll("\\", "/")] : [];
    });
}

/** The most specific architecture folder that holds a file. */
function layerOf(file: string): string {
  const known = Object.keys(mayImport).filter((folder) => file.startsWith(`${folder}/`));
  return known.sort((a, b) => b.length - a.length)[0] ?? `none for ${file}`;
}

const graph = new Map(sources.map((file) => [file, importsOf(file)]));

function findCycle(): string[] | undefined {
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (state.get(file) === "done") return undefined;
    if (state.get(file) === "open") return [...path.slice(path.indexOf(file)), file];
    state.set(file, "open");
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    state.set(file, "done");
    return undefined;
  };
  for (const file of sources) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return undefined;
}

describe("architecture", () => {
  it("has sources", () => expect(sources.length).toBeGreaterThan(20));

  it("imports downwards only", () => {
    const upward = [...graph].flatMap(([file, targets]) => {
      const from = layerOf(file);
      return targets
        .filter((target) => layerOf(target) !== from && !mayImport[from]?.includes(layerOf(target)))
        .map((target) => `${file} → ${target}`);
    });
    expect(upward).toEqual([]);
  });

  it("has no import cycle", () => expect(findCycle()).toBeUndefined());

  it.each(registries)("%s lists every unit in its index", (folder) => {
    const index = `${folder}/index.ts`;
    const listed = graph.get(index) ?? [];
    const inFolder = sources.filter((file) => dirname(file) === folder && file !== index);
    const folders = sources.filter((file) => dirname(dirname(file)) === folder && file.endsWith("/index.ts"));
    expect([...inFolder, ...folders].length).toBeGreaterThan(0);
    expect([...inFolder, ...folders].filter((file) => !listed.includes(file))).toEqual([]);
  });

  it("keeps files small enough to read", () => {
    const long = sources
      .filter((file) => !file.endsWith("_pb.ts"))
      .filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > 400);
    expect(long).toEqual([]);
  });

  it("never puts text through innerHTML", () => {
    const guilty = sources.filter((file) =>
      /innerHTML|insertAdjacentHTML|outerHTML\s*=[^=]|document\.write/.test(readFileSync(join(root, file), "utf8")),
    );
    expect(guilty).toEqual([]);
  });
});
