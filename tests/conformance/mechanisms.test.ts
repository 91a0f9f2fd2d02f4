import { describe, expect, it } from "vitest";
import type { Mechanism } from "../../kernel/lib/attention/index.js";
import { laws, lawsOf, mechanism, mechanisms } from "../../kernel/lib/attention/index.js";
import { caseOf, expected, maskOf } from "../../kernel/lib/attention/laws/case.js";
import { distance, notAsked, variantsOf } from "../../kernel/lib/attention/laws/law.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";

const engine = new OrtEngine("cpu");
const registry: Readonly<Record<string, Mechanism>> = mechanisms;
const table = Object.entries(registry).map(([name, unit]) => ({ name, unit }));

it("each mechanism stands under its own name and says where it is from, what it costs and what its reference is", () => {
  expect(table.length).toBeGreaterThan(15);
  for (const { name, unit } of table) {
    expect(unit.name).toBe(name);
    for (const field of ["summary", "source", "cost", "reference"] as const) expect(unit[field], name).toBeDefined();
  }
});

describe.each(table)("$name", ({ unit }) => {
  it.each(laws)("$name", ({ check }) => expect([undefined, notAsked]).toContain(check(unit)));

  it("onnxruntime gives what the reference says", async () => {
    for (const variant of variantsOf(unit)) {
      const sees = unit.promises.sees === "mask" ? "some" : unit.promises.sees;
      const given = caseOf(variant, { sees, dtype: "float32" });
      const wanted = expected(variant, given)!;
      const { z, pattern } = variant.attend(given.call);
      const compiled = await engine.compile({ z, pattern });
      const got = await compiled.run(given.feeds);
      await compiled.dispose();
      expect(distance(got["pattern"].numbers(), wanted.pattern)).toBeLessThan(2e-5);
      expect(distance(got["z"].numbers(), wanted.z)).toBeLessThan(2e-5);
    }
  });

  it("unknown options, missing gates, parameters nobody knows and shapes that do not fit are errors", () => {
    const { call, sizes } = caseOf(unit, { sees: "all" });
    expect(() => unit.attend(call, { nonsense: 1 })).toThrow(`${unit.name}: unknown option "nonsense"`);
    const extra = { ...call.parameters, nobody: call.q };
    expect(() => unit.attend({ ...call, parameters: extra })).toThrow('unknown parameter "nobody"');
    expect(() => unit.attend({ ...call, k: build.concat([call.k, call.k], 3) })).toThrow("queries and keys differ");
    if (unit.gates) expect(() => unit.attend({ ...call, gates: {} })).toThrow(/gate ".*" is missing/);
    if (unit.promises.sees !== "mask")
      expect(() => unit.attend({ ...call, mask: maskOf("causal", sizes) })).toThrow("takes no mask");
  });
});

describe("the laws find what is wrong", () => {
  const softmax: Mechanism = mechanisms.softmax;
  const broken = (name: string, change: Partial<Mechanism>): readonly string[] =>
    lawsOf(mechanism({ ...softmax, name, ...change }))
      .filter(({ result }) => result === "fails")
      .map(({ law, why }) => `${law}: ${why}`);

  it("none in a mechanism of a name, defaults and a graph", () => {
    const mine = mechanism({ name: "mine", defaults: {}, build: (call) => softmax.attend(call) });
    expect(lawsOf(mine).filter(({ result }) => result === "fails")).toEqual([]);
  });

  it("another graph than the reference", () => {
    const build_ = (call: Parameters<Mechanism["build"]>[0]) => softmax.attend(call, { scale: 0.3 });
    expect(broken("rescaled", { build: build_ })[0]).toMatch(/agrees with the reference.*: the pattern differs by/);
  });

  it("a z that is not what the pattern says", () => {
    const build_ = (call: Parameters<Mechanism["build"]>[0]) => {
      const { z, pattern } = softmax.attend(call);
      return { pattern, z: build.mul(z, 1.001) };
    };
    const { reference: _, ...rest } = softmax;
    const mine = mechanism({ ...rest, name: "doubled", build: build_ });
    expect(lawsOf(mine)[0]).toMatchObject({ result: "fails", why: expect.stringContaining("pattern · v") as string });
  });

  it("rows that do not sum to 1, and weights at hidden keys", () => {
    const { relu } = mechanisms;
    expect(broken("unnormalised", { build: relu.build, defaults: relu.defaults }).join()).toMatch(/sums to/);
    const blind = (call: Parameters<Mechanism["build"]>[0]) => softmax.attend({ ...call, mask: undefined });
    expect(broken("blind", { build: blind }).join()).toMatch(/which it does not see/);
    expect(broken("blind", { build: blind }).join()).toMatch(/moves when the last of 7 tokens changes/);
  });

  it("a derivative that is lost on the way", () => {
    const { reference: _, ...rest } = softmax;
    const truncated = (x: Value): Value => build.cast(build.cast(build.mul(x, 1e6), "int64"), "float64");
    // Doubled but for rounding; an integer has no derivative, so reverse mode sees half of it.
    const build_ = (call: Parameters<Mechanism["build"]>[0]) => {
      const { z, pattern } = softmax.attend(call);
      return { pattern, z: build.add(z, build.mul(truncated(z), 1e-6)) };
    };
    const mine = mechanism({
      ...rest,
      name: "lossy",
      build: build_,
      promises: { ...rest.promises, mixesValues: false },
    });
    expect(lawsOf(mine).filter(({ result }) => result === "fails")).toMatchObject([
      { law: "gradients are central differences", why: expect.stringContaining("the derivative by q") as string },
    ]);
  });

  it("a limit that is none", () => {
    const limits = [{ when: "always", equals: "relu" }];
    expect(broken("mistaken", { limits }).join()).toMatch(/when always, z differs/);
    expect(() => broken("lost", { limits: [{ when: "always", equals: "softmx" }] })).toThrow('did you mean "softmax"');
  });
});
