import { describe, expect, it } from "vitest";
import { figureOf } from "attention-lab/figure";
import { PayloadError, payloads, type PayloadMime } from "attention-lab/views";
import { examples } from "../gallery/examples.js";
import { seeded } from "../gallery/headGrid.js";
import { partAt, pathsOf, withPart } from "./payloadParts.js";

const oddities: readonly unknown[] = [
  ...[null, undefined, NaN, -1, 1.5, 1e308, "", true, [], {}, [[[]]], [null], { length: 3 }],
  ...["x".repeat(5_000), "<img src=x onerror=alert(1)>", "__proto__"],
];

const reasonOf = (read: () => unknown): string | undefined => {
  try {
    read();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(PayloadError);
    return (error as Error).message;
  }
};

describe.each(Object.keys(payloads) as PayloadMime[])("%s", (mime) => {
  const [make] = Object.values<() => unknown>(examples[mime]).slice(-1);
  const valid: unknown = JSON.parse(JSON.stringify(make?.()));
  const { read } = payloads[mime];

  it("comes back as it was, also from a later minor version", () => {
    expect(read(valid)).toEqual(valid);
    expect(read(withPart(valid, ["version"], "1.9"))).toBeDefined();
    expect(JSON.stringify(valid).length).toBeLessThan(1_000_000);
  });

  it("says what to do about another major version", () => {
    expect(reasonOf(() => read(withPart(valid, ["version"], "2.0")))).toMatch(/1\.x.*update the extension/);
    expect(reasonOf(() => read(withPart(valid, ["version"], "0.3")))).toMatch(/run the cell again/);
  });

  it("answers every oddity in every place with a short PayloadError, or draws it", () => {
    const random = seeded(11);
    const paths = pathsOf(valid);
    expect(paths.length).toBeGreaterThan(8);
    for (const path of paths) {
      for (const oddity of oddities.filter(() => random() < 0.5)) {
        const broken = withPart(valid, path, oddity);
        const reason = reasonOf(() => read(broken));
        if (reason === undefined) expect(figureOf(mime, broken)).toMatch(/^<svg /);
        else expect(reason.length).toBeLessThan(300);
      }
    }
  });

  it("keeps hostile texts text, in every place that holds one", () => {
    const evil = '</text></svg><script>alert(1)</script>&"\u0000\u202E\uD800';
    for (const path of pathsOf(valid)) {
      const part = partAt(valid, path);
      if (typeof part !== "string") continue;
      const hostile = withPart(valid, path, evil);
      if (reasonOf(() => read(hostile)) !== undefined) continue;
      const svg = figureOf(mime, hostile);
      expect(svg).not.toContain("<script");
      expect(svg).not.toContain("\u0000");
      expect(svg?.match(/<text /g)?.length).toBe(svg?.match(/<\/text>/g)?.length);
    }
  });

  it("has a summary of several lines that begins with its title", () => {
    const summary = payloads[mime].text as (payload: unknown) => string;
    expect(summary(valid).split("\n").length).toBeGreaterThan(1);
  });
});
