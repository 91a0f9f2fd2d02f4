import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

function versionOf(manifest: string): string {
  return (require(manifest) as { readonly version: string }).version;
}

/** Versions that a result's provenance names. */
export function versions(): Readonly<Record<"onnxruntime" | "attentionLab", string>> {
  return {
    onnxruntime: versionOf("onnxruntime-node/package.json"),
    attentionLab: versionOf("attention-lab/package.json"),
  };
}
