import { describe, expect, it } from "vitest";
import type { Mechanism } from "../../kernel/lib/attention/index.js";
import { mechanisms, stateNumbers } from "../../kernel/lib/attention/index.js";

const all = Object.values(mechanisms) as readonly Mechanism[];
const decoding = all.filter(({ promises }) => promises.sees !== "all");

/** A length that groups, chunks and windows of the defaults divide, and beyond them. */
const T = 512;
const D = 6;
const one = { batch: 1, heads: 1, keyHeads: 1, valueHeads: 1, queries: 1, keys: T, headDim: D, valueDim: D };

/** The formulas that mechanisms tell, their letters being options. */
const formulas: Readonly<Record<string, (options: Readonly<Record<string, number>>) => number>> = {
  "2·T·D": () => 2 * T * D,
  "T·D": () => T * D,
  "T·(D + 1)": () => T * (D + 1),
  "(2·D + 1)·T": () => (2 * D + 1) * T,
  "T·(A + D)": ({ hidden }) => T * (hidden + D),
  "T·(r + D)": ({ rank }) => T * (rank + D),
  "T·2·D + L·D": ({ window }) => T * 2 * D + window * D,
  "2·(T/c + 1)·D": ({ chunk }) => 2 * (T / chunk + 1) * D,
  "2·(T/g + w + g)·D": ({ group, window }) => 2 * (T / group + window + group) * D,
  // Every token kept.
  "D² + 2·n·D": () => D * D + 2 * T * D,
};

function told({ cost, optionsOf }: Mechanism): number {
  const [formula] = cost!.state.split(/[;,]| over | for /);
  return formulas[formula](optionsOf() as Record<string, number>);
}

describe("numbers that decoding holds", () => {
  it.each(decoding.filter(({ stream }) => !stream).map((unit) => [unit.name, unit] as const))(
    "%s: what its formula says",
    (_, unit) => {
      expect(stateNumbers(unit, one)).toBe(told(unit));
    },
  );

  it("a state does not grow, and is counted for every head", () => {
    const streams = decoding.filter(({ stream }) => stream);
    expect(streams.length).toBeGreaterThan(5);
    for (const unit of streams) {
      expect(stateNumbers(unit, { ...one, keys: 2 * T })).toBe(stateNumbers(unit, one));
      const grouped = { ...one, heads: 4, keyHeads: 2, valueHeads: 2 };
      expect(stateNumbers(unit, grouped)).toBe(4 * stateNumbers(unit, one)!);
    }
    // By hand: one matrix; maximum, sum and D sums; matrix and momentum; Taylor's 1 + D + D² features of D values and their sum.
    const { deltaRule, aaren, titansMemory, based } = mechanisms;
    expect([deltaRule, aaren, titansMemory].map((unit) => stateNumbers(unit as Mechanism, one))).toEqual([36, 8, 72]);
    expect(stateNumbers(based as Mechanism, one)).toBe((1 + D + D * D) * (D + 1));
  });

  it("heads that share keys or values hold them once", () => {
    const sizes = { ...one, heads: 4, keyHeads: 2, valueHeads: 1, valueDim: 3 };
    expect(stateNumbers(mechanisms.softmax as Mechanism, sizes)).toBe(T * (2 * D + 3));
  });

  it("options count, and what sees later keys has no number", () => {
    const unit = mechanisms.lowRank as Mechanism;
    expect(stateNumbers(unit, one, { rank: 1 })).toBe(T * (1 + D));
    expect(() => stateNumbers(unit, one, { rnak: 1 })).toThrow('did you mean "rank"?');
    const others = all.filter(({ promises }) => promises.sees === "all");
    expect(others.map((each) => stateNumbers(each, one)).every((found) => found === undefined)).toBe(true);
  });
});
