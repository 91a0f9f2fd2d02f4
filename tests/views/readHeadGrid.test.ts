import { describe, expect, it } from "vitest";
import { PayloadError, readHeadGrid } from "attention-lab/views";
import { headGridExamples, seeded } from "../gallery/headGrid.js";

type Loose = Record<string, unknown>;

const valid = JSON.stringify(headGridExamples["small"]());

const changed = (change: (payload: Loose, sample: Loose) => void): unknown => {
  const payload = JSON.parse(valid) as Loose;
  change(payload, (payload["samples"] as Loose[])[0]);
  return payload;
};

describe("readHeadGrid", () => {
  it("accepts what headGrid makes, and later minor versions", () => {
    expect(readHeadGrid(JSON.parse(valid))).toEqual(JSON.parse(valid));
    expect(() => readHeadGrid(changed((payload) => (payload["version"] = "1.7")))).not.toThrow();
  });

  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /the payload: expected an object, got undefined/],
    ["null", null, /expected an object, got null/],
    ["text", "<script>", /expected an object/],
    [
      "a newer version",
      changed((payload) => (payload["version"] = "2.0")),
      /version 1\.x, got "2\.0"; update the extension/,
    ],
    ["an older version", changed((payload) => (payload["version"] = "0.9")), /run the cell again/],
    ["no version", changed((payload) => delete payload["version"]), /version: expected text/],
    ["another view", changed((payload) => (payload["view"] = "loss")), /view: expected "head-grid", got "loss"/],
    ["too many layers", changed((payload) => (payload["layers"] = 1e9)), /layers: expected a whole number in 1…512/],
    ["half a head", changed((payload) => (payload["heads"] = 1.5)), /heads: expected a whole number/],
    [
      "a long title",
      changed((payload) => (payload["title"] = "x".repeat(10_000_000))),
      /title: expected at most 512 characters, got 10000000/,
    ],
    ["no samples", changed((payload) => (payload["samples"] = [])), /samples: expected 1…256 entries, got 0/],
    [
      "a token that is no text",
      changed((_, sample) => (sample["keyTokens"] = ["a", {}, "c"])),
      /keyTokens\[1\]: expected text, got an object/,
    ],
    [
      "fewer scalars than heads",
      changed((_, sample) => ((sample["scalars"] as Loose)["max"] = [1])),
      /scalars\.max: expected 2 entries, got 1/,
    ],
    [
      "a scalar that is null",
      changed((_, sample) => ((sample["scalars"] as Loose)["max"] = [1, null])),
      /scalars\.max: expected finite numbers ≥ 0, got null/,
    ],
    [
      "a special key outside",
      changed((_, sample) => (sample["specialKeys"] = [3])),
      /specialKeys: expected a whole number in 0…2, got 3/,
    ],
    [
      "an unknown codec",
      changed((_, sample) => ((sample["patterns"] as Loose)["codec"] = "jpeg")),
      /codec: expected "float16" or "sqrt8", got "jpeg"/,
    ],
    [
      "rows that do not follow from the tokens",
      changed((_, sample) => ((sample["patterns"] as Loose)["rows"] = 2)),
      /rows: expected 3, got 2/,
    ],
    [
      "data of another length",
      changed((_, sample) => ((sample["patterns"] as Loose)["data"] = "AAAA")),
      /data: expected 48 characters \(2 heads of 3 × 3\), got "4 characters"/,
    ],
    [
      "data that is not base64",
      changed((_, sample) => ((sample["patterns"] as Loose)["data"] = "<".repeat(48))),
      /data: expected base64/,
    ],
    [
      "provenance with NaN",
      changed((payload) => (payload["provenance"] = { seed: NaN })),
      /provenance\.seed: expected text or a finite number/,
    ],
    [
      "provenance that is a list",
      changed((payload) => (payload["provenance"] = [1])),
      /provenance: expected an object, got a list of 1/,
    ],
  ])("refuses %s", (_, value, reason) => {
    expect(() => readHeadGrid(value)).toThrow(PayloadError);
    expect(() => readHeadGrid(value)).toThrow(reason);
  });

  it("answers any single broken field with a PayloadError that stays short", () => {
    const random = seeded(3);
    const oddities: unknown[] = [null, undefined, NaN, -1, 1e308, "", "x".repeat(5000), [], {}, [[[]]], true];
    const paths: string[][] = [];
    const walk = (value: unknown, path: string[]): void => {
      if (path.length) paths.push(path);
      if (typeof value === "object" && value !== null) {
        for (const [key, child] of Object.entries(value)) walk(child, [...path, key]);
      }
    };
    walk(JSON.parse(valid), []);
    for (const path of paths) {
      const payload = JSON.parse(valid) as Loose;
      let holder = payload;
      for (const key of path.slice(0, -1)) holder = holder[key] as Loose;
      holder[path.at(-1)!] = oddities[Math.floor(random() * oddities.length)];
      try {
        readHeadGrid(payload);
      } catch (error) {
        expect(error).toBeInstanceOf(PayloadError);
        expect((error as Error).message.length).toBeLessThan(300);
      }
    }
    expect(paths.length).toBeGreaterThan(30);
  });
});
