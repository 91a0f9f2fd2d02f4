import { describe, expect, it } from "vitest";
import { tasks } from "../../kernel/lib/index.js";
import type { TokenTask } from "../../kernel/lib/tasks/index.js";

const book = "the cat sat on the mat, and the dog lay by the door. ".repeat(12);
const all: Readonly<Record<string, TokenTask>> = {
  bigramBackcopy: tasks.bigramBackcopy({ length: 40 }),
  copying: tasks.copying({ vocabulary: 9, period: 5, repeats: 3 }),
  matchThree: tasks.matchThree({ modulus: 7, length: 9 }),
  mqar: tasks.mqar({ vocabulary: 20, length: 24, pairs: 3 }),
  passkey: tasks.passkey({ length: 12 }),
  reversal: tasks.reversal({ count: 5 }),
  scanAndSnap: tasks.scanAndSnap({ length: 12 }),
  sorting: tasks.sorting({ count: 5 }),
  text: tasks.text(book, { length: 20 }),
};
const rows = (task: TokenTask, count = 50) => Array.from({ length: count }, (_, i) => task.row(i));

describe.each(Object.entries(all))("%s", (name, task) => {
  it("is a function of its seed; train and test differ; every row fits", () => {
    expect(task.name).toBe(name);
    const [first, other] = [task.batch(2, 4), task.batch(2, 4, "test")];
    expect(first.inputIds.shape).toEqual([4, task.length]);
    expect(first.inputIds.data).toEqual(task.batch(2, 4).inputIds.data);
    expect(first.inputIds.data).not.toEqual(other.inputIds.data);
    expect(first.inputIds.at(1).data).toEqual(Int32Array.from(task.row(9).ids));
    for (const { ids, targets } of rows(task)) {
      expect([ids.length, targets.length]).toEqual([task.length, task.length]);
      expect(ids.every((id) => id >= 0 && id < task.vocabulary.length)).toBe(true);
      expect(targets.every((id) => id >= -1 && id < task.vocabulary.length)).toBe(true);
      expect(targets.some((id) => id >= 0)).toBe(true);
    }
  });

  it("shows its rows: tokens, and below them what is to be predicted", () => {
    const lines = task.describe(2).split("\n");
    expect(lines).toHaveLength(5);
    expect(lines[1]).toMatch(/^ {2}input /);
    expect(lines[2]).toMatch(/^ {2}predict /);
  });
});

it("bigramBackcopy: after a trigger comes what was before it; other pairs are those of English", () => {
  const task = tasks.bigramBackcopy({ length: 200 });
  const triggers = [" ", "e", "t"].map((character) => task.vocabulary.indexOf(character));
  let [after, q, qu] = [0, 0, 0];
  for (const { ids, targets, kinds } of rows(task, 100)) {
    expect([ids[0], targets[0], kinds![0]]).toEqual([0, -1, -1]);
    expect(triggers).not.toContain(ids[1]);
    for (let t = 1; t < ids.length; t++) {
      expect(kinds![t]).toBe(triggers.includes(ids[t]) ? 0 : 1);
      if (t + 1 < ids.length) expect(targets[t]).toBe(ids[t + 1]);
      if (kinds![t] === 0) expect(targets[t]).toBe(ids[t - 1]);
      after += kinds![t] === 0 ? 1 : 0;
      if (task.vocabulary[ids[t]] === "q") [q, qu] = [q + 1, qu + Number(task.vocabulary[targets[t]] === "u")];
    }
  }
  expect(after).toBeGreaterThan(1000);
  expect(qu).toBe(q);
  // English letters have a conditional entropy near 2.3 nats at most; triggers are not counted.
  expect(tasks.bigramFloor(task)).toBeGreaterThan(1.5);
  expect(tasks.bigramFloor(task)).toBeLessThan(2.3);
  expect(() => tasks.bigramBackcopy({ triggers: ["ä"] })).toThrow('unknown trigger "ä"');
});

it("mqar: each query is a key of the row, and its answer the value that stands beside it", () => {
  const task = tasks.mqar({ vocabulary: 40, length: 32, pairs: 4 });
  for (const { ids, targets } of rows(task, 200)) {
    const pairs = new Map([0, 1, 2, 3].map((i) => [ids[2 * i], ids[2 * i + 1]]));
    expect(pairs.size).toBe(4);
    const asked = targets.flatMap((target, t) => (target < 0 ? [] : [[ids[t], target, t] as const]));
    expect(asked.length).toBeGreaterThanOrEqual(3);
    for (const [key, value, t] of asked) {
      expect(pairs.get(key)).toBe(value);
      expect(t).toBeGreaterThanOrEqual(8);
      if (t + 1 < ids.length) expect(ids[t + 1]).toBe(value);
    }
  }
  const quiet = tasks.mqar({ noise: "zero" }).row(0).ids;
  expect(quiet.slice(8).filter((id) => id !== 0).length).toBeLessThanOrEqual(8);
  expect(() => tasks.mqar({ pairs: 20, length: 32 })).toThrow(
    "20 pairs and their queries need 80 tokens, got length 32",
  );
});

it("copying, sorting and passkey ask for what can be known", () => {
  for (const { ids, targets } of rows(tasks.copying({ vocabulary: 9, period: 5, repeats: 3 }))) {
    expect(targets.slice(0, 5)).toEqual([-1, -1, -1, -1, -1]);
    targets.slice(5).forEach((target, i) => expect(target).toBe(ids[i + 1]));
  }
  for (const { ids, targets } of rows(tasks.sorting({ count: 5 }))) {
    expect(targets.slice(5)).toEqual(ids.slice(0, 5).sort((a, b) => a - b));
  }
  for (const { ids, targets } of rows(tasks.passkey({ length: 12 }))) {
    expect(targets.at(-1)).toBe(ids[ids.indexOf(0) + 1]);
    expect(targets.slice(0, -1).every((target) => target === -1)).toBe(true);
  }
  expect(tasks.passkey({ length: 12, depth: 0 }).row(3).ids[0]).toBe(0);
  expect(tasks.passkey({ length: 12, depth: 1 }).row(3).ids[9]).toBe(0);
});

it("text: rows are windows of the text, tests come from its end", () => {
  const task = tasks.text(book, { length: 20 });
  const border = Math.round(book.length * 0.9);
  const read = (ids: readonly number[]): string => ids.map((id) => task.vocabulary[id]).join("");
  for (const split of ["train", "test"] as const) {
    const { ids, targets } = task.row(7, split);
    const part = split === "train" ? book.slice(0, border) : book.slice(border);
    expect(part).toContain(read(ids) + task.vocabulary[targets.at(-1)!]);
    expect(targets.slice(0, -1)).toEqual(ids.slice(1));
  }
  expect(() => tasks.text("short", { length: 20 })).toThrow("rows of 20 tokens need 21, the train part has 5");
});

it("reversal: what follows is the string backwards, and answers are what comes next", () => {
  const task = tasks.reversal({ vocabulary: 30, count: 4 });
  expect(task.vocabulary.slice(-4)).toEqual(["a1", "b1", "c1", "d1"]);
  for (const { ids, targets } of rows(task)) {
    const given = ids.slice(0, 4);
    expect(targets.slice(4)).toEqual(given.toReversed());
    expect(ids.slice(4)).toEqual([0, ...given.toReversed().slice(0, 3)]);
  }
});

it("matchThree: yes where three numbers, the last of them here, add up to 0", () => {
  const task = tasks.matchThree({ modulus: 9, length: 8 });
  let yes = 0;
  for (const { ids, targets, kinds } of rows(task, 40)) {
    ids.forEach((x, t) => {
      const before = ids.slice(0, t + 1);
      const isFound = before.some((a) => before.some((b) => (x + a + b) % 9 === 0));
      expect(task.vocabulary[targets[t]]).toBe(isFound ? "y" : "n");
      expect(kinds![t]).toBe(Number(isFound));
      yes += Number(isFound);
    });
  }
  expect(yes).toBeGreaterThan(100);
  expect(yes).toBeLessThan(300);
  expect(() => tasks.matchThree({ modulus: 1 })).toThrow("modulus must be at least 2, got 1");
});
