import ts from "typescript";

export { display, newDisplay, type Display } from "./display.js";

/** The versions that a notebook sees: of the tslab whose functions these are, of this kernel's compiler, of Node. */
export const versions: { readonly tslab: string; readonly typescript: string; readonly node: string } = {
  tslab: "1.0.22",
  typescript: ts.version,
  node: process.version,
};
