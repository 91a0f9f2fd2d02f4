/**
 * The globals that transformed cells call; `runtime.ts` installs them.
 * They are not enumerable, and no completion offers them.
 */
export const cellGlobals = {
  /** `(specifier, attributes, names) => Promise<namespace>`: every import form. */
  import: "__cellImport",
  /** What `import.meta` is in a cell. */
  meta: "__cellMeta",
  /** The interrupt counter, an Int32Array on shared memory. */
  interrupts: "__cellInterrupts",
  /** Throws the InterruptError. */
  stop: "__cellStop",
} as const;
