import { describe, expect, it } from "vitest";
import { OptionError, tasks } from "../../kernel/lib/index.js";

/** A tokenizer that knows these words as single tokens. */
const knows = (isToken: (text: string) => boolean) => ({
  tokenId: (text: string): number => {
    if (!isToken(text)) throw new OptionError(`token ${text}: must be one token`);
    return 7;
  },
});

describe("coloredObjects", () => {
  const all = knows(() => true);

  it("the answer is the colour beside the object that is asked for, the other that of the corrupted prompt", () => {
    const { prompts, corrupted, answers, others } = tasks.coloredObjects(all, { count: 40, seed: 3 });
    const asked = new Set<number>();
    prompts.forEach((prompt, i) => {
      const colourOf = (text: string): string => {
        const object = /What color is the (\w+)\?/.exec(text)![1];
        expect(text).toMatch(new RegExp(`A: The ${object} is$`));
        return ` ${new RegExp(`an? (\\w+) ${object}\\b`).exec(text)![1]}`;
      };
      expect(colourOf(prompt)).toBe(answers[i]);
      expect(colourOf(corrupted[i])).toBe(others[i]);
      expect(answers[i]).not.toBe(others[i]);
      expect(prompt.split("What")[0]).toBe(corrupted[i].split("What")[0]);
      const listed = [...prompt.split(".")[0].matchAll(/\ban? (\w+) \w+/g)].map(([, colour]) => colour);
      expect(new Set(listed).size).toBe(3);
      asked.add(listed.indexOf(answers[i].trim()));
    });
    expect([...asked].sort()).toEqual([0, 1, 2]);
    expect(tasks.coloredObjects(all, { count: 40, seed: 3 }).prompts).toEqual(prompts);
    expect(tasks.coloredObjects(all, { count: 40, seed: 4 }).prompts).not.toEqual(prompts);
  });

  it("uses words that are one token only", () => {
    const few = knows((text) => / (red|blue|green|pen|cup|ball)$/.test(text));
    for (const prompt of tasks.coloredObjects(few, { count: 10 }).prompts) {
      expect(prompt).toMatch(/^Q: On the table there are a (red|blue|green) (pen|cup|ball), /);
    }
    expect(() => tasks.coloredObjects(knows((text) => text === " red"))).toThrow(
      /three words that are one token each, got 1 of red/,
    );
    expect(() => tasks.coloredObjects(all, { count: 0 })).toThrow(/count must be a whole number/);
  });
});

describe("domains", () => {
  it("are seeded texts of four kinds; sums are right", () => {
    const texts = tasks.domains({ count: 3, parts: 4, seed: 1 });
    expect(Object.keys(texts)).toEqual(["prose", "code", "arithmetic", "dialogue"]);
    for (const list of Object.values(texts)) expect(new Set(list).size).toBe(3);
    for (const line of texts.arithmetic.flatMap((text) => text.split("\n"))) {
      const [a, b, sum] = line.match(/\d+/g)!.map(Number);
      expect(a + b).toBe(sum);
    }
    expect(texts.prose[0].match(/\./g)).toHaveLength(4);
    expect(texts.code[0].split("\n").every((line) => /^\w+ = \w+\(\w+, \d+\)$/.test(line))).toBe(true);
    expect(tasks.domains({ count: 3, parts: 4, seed: 1 })).toEqual(texts);
    expect(tasks.domains({ count: 3, parts: 4, seed: 2 })).not.toEqual(texts);
    expect(() => tasks.domains({ parts: 0 })).toThrow(/parts must be a whole number/);
  });
});
