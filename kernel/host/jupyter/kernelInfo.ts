import { createRequire } from "node:module";
import { protocolVersion, type JsonObject } from "./wire.js";

const require = createRequire(import.meta.url);
// From kernel/lib/host/jupyter; the TypeScript version is read without loading the compiler.
const { version } = require("../../../package.json") as { readonly version: string };
const typescript = require("typescript/package.json") as { readonly version: string };

/** Content of a `kernel_info_reply`. */
export const kernelInfo: JsonObject = {
  status: "ok",
  protocol_version: protocolVersion,
  implementation: "attention-lab",
  implementation_version: version,
  language_info: {
    name: "typescript",
    version: typescript.version,
    mimetype: "application/typescript",
    file_extension: ".ts",
    pygments_lexer: "typescript",
    codemirror_mode: "typescript",
    nbconvert_exporter: "script",
  },
  banner: `Attention Lab ${version} · TypeScript ${typescript.version} · Node ${process.versions.node}`,
  help_links: [{ text: "TypeScript", url: "https://www.typescriptlang.org/docs/" }],
  debugger: false,
  supported_features: [],
};
