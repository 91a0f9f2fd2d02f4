import { describe, expect, it } from "vitest";
import { interventions, load, OptionError, probes, tasks, Tensor } from "../../kernel/lib/index.js";
import { readOracle } from "../models/oracle.js";

/** A tokenizer that knows these texts as single tokens. */
const knows = (isToken: (text: string) => boolean) => ({
  tokenId: (text: string): number => {
    if (!isToken(text)) throw new OptionError(`token ${text}: must be one token`);
    return 7;
  },
});

describe("tasks are functions of their seed", () => {
  it("repeatedTokens: each period is one of different tokens, again and again", () => {
    const options = { count: 5, period: 7, repeats: 3, low: 10, high: 30, first: 1, seed: 4 };
    const { inputIds } = tasks.repeatedTokens(options);
    expect(inputIds).toHaveLength(5);
    for (const [first, ...rest] of inputIds) {
      expect(first).toBe(1);
      expect(rest).toHaveLength(21);
      expect(new Set(rest.slice(0, 7)).size).toBe(7);
      expect(rest.every((id, t) => id >= 10 && id < 30 && id === rest[t % 7])).toBe(true);
    }
    expect(tasks.repeatedTokens(options).inputIds).toEqual(inputIds);
    expect(tasks.repeatedTokens({ ...options, seed: 5 }).inputIds).not.toEqual(inputIds);
    expect(new Set(inputIds.map((row) => row.join())).size).toBe(5);
    expect(tasks.repeatedTokens({ period: 20, low: 10, high: 30 }).inputIds[0]).toHaveLength(40);
    expect(() => tasks.repeatedTokens({ period: 21, low: 10, high: 30 })).toThrow(
      /21 different ids do not fit into 10 … 29/,
    );
  });

  it("repeatedTokens: where a planted induction head scores exactly 1", async () => {
    const model = await load((await readOracle("gpt2")).folder);
    const input = tasks.repeatedTokens({ count: 1, period: 5, high: 300 });
    const rows = Array.from({ length: 10 }, (_, q) =>
      Array.from({ length: 10 }, (_, k) => (k === Math.max(q - 4, 0) ? 1 : 0)),
    );
    const planted = new Tensor("float32", [1, 4, 10, 10], Float32Array.from([rows, rows, rows, rows].flat(2)));
    const run = await model.run(input, {
      interventions: [interventions.replace({ at: "blocks.0.attn.pattern", with: planted })],
      probes: [probes.diagonal({ offset: 4 }), probes.role({ role: "induction" })],
    });
    expect(run.probe("diagonal 4").item(0, 0, 2)).toBe(1);
    expect(run.probe("diagonal 4").item(0, 1, 2)).toBeLessThan(0.9);
    // By mass: rows 5 … 9 have an earlier copy; rows 0 … 4 have mass, too.
    expect(run.probe("induction").item(0, 0, 2)).toBe(0.5);
    await model.dispose();
  });

  it("ioi: the answer is the name that occurs once, the other occurs twice; corrupted prompts name three", () => {
    const task = tasks.ioi(
      knows((text) => / (Mary|John|Tom|Anna)$/.test(text)),
      { count: 20, seed: 3 },
    );
    const occurrences = (text: string, name: string): number => text.split(name).length - 1;
    let first = 0;
    task.prompts.forEach((prompt, i) => {
      const [answer, other] = [task.answers[i], task.others[i]];
      expect(prompt).toMatch(/^When (\w+) and (\w+) went to the \w+, (\w+) gave a \w+ to$/);
      expect([occurrences(prompt, answer), occurrences(prompt, other)]).toEqual([1, 2]);
      expect([occurrences(task.corrupted[i], answer), occurrences(task.corrupted[i], other)]).toEqual([1, 1]);
      expect(prompt.split(" ").length).toBe(task.corrupted[i].split(" ").length);
      expect(prompt).not.toMatch(/Paul|Emma|Mark/);
      if (prompt.startsWith(`When${answer}`)) first++;
    });
    expect(first).toBe(10);
    expect(
      tasks.ioi(
        knows(() => true),
        { seed: 1 },
      ),
    ).toEqual(
      tasks.ioi(
        knows(() => true),
        { seed: 1 },
      ),
    );
    expect(() => tasks.ioi(knows((text) => text === " Mary"))).toThrow(
      /needs three names that are one token each, got 1/,
    );
  });

  it("greaterThan: right answers are above the year, wrong ones are not", () => {
    const task = tasks.greaterThan(
      knows(() => true),
      { count: 12 },
    );
    task.prompts.forEach((prompt, i) => {
      const year = Number(/year 17(\d\d) to the year 17$/.exec(prompt)![1]);
      expect(year).toBe(task.years[i]);
      expect(task.answers[i].every((answer) => Number(answer) > year)).toBe(true);
      expect(task.others[i].every((other) => Number(other) <= year)).toBe(true);
      expect(task.answers[i].length + task.others[i].length).toBe(100);
      expect(task.corrupted[i]).toBe(prompt.replace(/17\d\d to/, "1701 to"));
    });
    expect(() => tasks.greaterThan(knows((text) => text !== "07"))).toThrow(/1 are not, such as 07/);
  });

  it("needle: it lies where the span says, at the depth that was asked for", () => {
    const haystack = "One is first. Two is second! Three is third?";
    const task = tasks.needle({
      needle: "The key is blue.",
      question: "What is blue?",
      haystack,
      sentences: 8,
      depths: [0, 0.5, 1],
    });
    task.prompts.forEach((prompt, i) => {
      expect(prompt.slice(...task.spans[i])).toBe("The key is blue.");
      expect(prompt.endsWith(" What is blue?")).toBe(true);
      expect(prompt.slice(0, task.spans[i][0]).split(/[.!?]/).length - 1).toBe([0, 4, 8][i]);
    });
    const wrong = { needle: "One is first.", question: "?", haystack, sentences: 3, depths: [0] };
    expect(() => tasks.needle(wrong)).toThrow(/haystack contains the needle/);
    expect(() => tasks.needle({ ...wrong, needle: "x", depths: [2] })).toThrow(/a depth is a number in 0 … 1, got 2/);
  });

  it("a model tells which texts are tokens", async () => {
    const model = await load((await readOracle("gpt2")).folder);
    expect(() => tasks.ioi(model)).toThrow(/needs three names|one token/);
    expect(Number.isInteger(model.tokenId("a"))).toBe(true);
    expect(() => model.tokenId("a long text of many tokens")).toThrow(/must be one token, got \d+/);
    await model.dispose();
  });
});
