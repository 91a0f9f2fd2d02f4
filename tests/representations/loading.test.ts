import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { kernelSymbol } from "../../kernel/lib/host/jupyter/api.js";
import { announceLoad } from "../../kernel/lib/host/jupyter/representations/loading.js";

describe("a long load", () => {
  const shown: string[] = [];
  const note = async (text: unknown): Promise<void> => Promise.resolve(void shown.push(String(text)));
  beforeEach(() => {
    vi.useFakeTimers();
    shown.length = 0;
    const fake = {
      display: async (bundle: Record<string, string>) => note(`new: ${bundle["text/plain"]}`),
      updateDisplay: async (_: string, bundle: Record<string, string>) => note(bundle["text/plain"]),
    };
    Object.assign(globalThis, { [kernelSymbol]: fake });
  });
  afterEach(() => {
    vi.useRealTimers();
    Reflect.deleteProperty(globalThis, kernelSymbol);
  });

  const load = async (sizeBytes: number, lastsMs: number, ends: "well" | "badly" = "well"): Promise<void> => {
    const loaded = new Promise<void>((resolve, reject) =>
      setTimeout(() => (ends === "well" ? resolve() : reject(new Error("no"))), lastsMs),
    );
    announceLoad({ sizeBytes, device: "cpu", loaded });
    await vi.advanceTimersByTimeAsync(lastsMs + 5000);
  };

  it("is told below the cell, once a second, in one place", async () => {
    await load(3.14e9, 2500);
    expect(shown).toEqual([
      "new: loading 3.1 GB on cpu … 1 s",
      "loading 3.1 GB on cpu … 2 s",
      expect.stringMatching(/^loaded 3\.1 GB on cpu after [23] s$/),
    ]);
  });

  it("is told to have failed when it fails", async () => {
    await load(1e9, 1500, "badly");
    expect(shown.at(-1)).toBe("could not load 1.0 GB on cpu after 2 s");
  });

  it("is not told when it is short or small", async () => {
    await load(3e9, 800);
    await load(9e7, 3000);
    expect(shown).toEqual([]);
  });
});
