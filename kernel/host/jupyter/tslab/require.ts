import { Module } from "node:module";
import * as tslab from "./index.js";

/**
 * A `require` that gives this kernel's tslab, and makes packages that load an installed tslab get it too:
 * the installed one writes to its own kernel alone.
 */
export function requireWithTslab(require: NodeJS.Require): NodeJS.Require {
  const installed = resolved(require);
  if (installed !== undefined) {
    const module = Object.assign(new Module(installed), { filename: installed, loaded: true, exports: tslab });
    require.cache[installed] = module;
  }
  const withTslab = (id: string): unknown => (id === "tslab" ? tslab : require(id));
  return Object.assign(withTslab, require);
}

function resolved(require: NodeJS.Require): string | undefined {
  try {
    return require.resolve("tslab");
  } catch {
    return undefined;
  }
}
