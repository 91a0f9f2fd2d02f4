/** Whether a cell begins with `// @check`: it then refuses to run with type errors. */
export function isStrict(source: string): boolean {
  return /^\s*\/\/\s*@check\b/.test(source);
}
