import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model, PathReceiver } from "../../kernel/lib/index.js";
import {
  activationPatching,
  interventions,
  load,
  logitDifference,
  pathPatching,
  Tensor,
} from "../../kernel/lib/index.js";
import { build } from "../../kernel/lib/graph/index.js";
import { readOracle } from "../models/oracle.js";
import { shown } from "./heads/planted.js";

const clean = { inputIds: [[5, 6, 7, 8, 9]] };
const corrupted = { inputIds: [[11, 6, 13, 8, 15]] };
const metric = logitDifference(7, 9);
const { replace } = interventions;

describe.each(["gpt2", "llama_rope3", "gpt_neox"])("path patching on %s", (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
  });
  afterAll(() => model.dispose());

  const difference = async (edits: readonly GraphEdit[]): Promise<number> => {
    const { logits } = await model.run(clean, { interventions: edits, patterns: false });
    return logits.item(0, 4, 7) - logits.item(0, 4, 9);
  };
  /** One head's own part of a tensor [1,H,…], the others' of another. */
  const mixed = (own: Tensor, other: Tensor, head: number): Tensor => {
    const data = Float32Array.from(other.data as Float32Array);
    const size = own.size / own.shape[1];
    data.set((own.data as Float32Array).subarray(head * size, (head + 1) * size), head * size);
    return new Tensor("float32", own.shape, data);
  };

  it("says what the four runs say, written one by one", async () => {
    const receivers: PathReceiver[] = [{ layer: 2, head: 1, input: "q" }, { layer: 1, head: 0, input: "v" }]; // prettier-ignore
    for (const mlps of ["free", "frozen"] as const) {
      const map = await pathPatching(model, clean, corrupted, { metric, receivers, mlps });
      const capture = ["blocks.*.attn.z", "blocks.*.attn.q", "blocks.*.attn.v", "blocks.*.mlp_out"];
      const [a, b] = [await model.run(corrupted, { capture }), await model.run(clean, { capture })];
      const z = (l: number): string => `blocks.${l}.attn.z`;
      const head = 2;
      const third = await model.run(clean, {
        capture,
        interventions: [
          replace({ at: z(0), with: mixed(a.at(z(0)), b.at(z(0)), head) }),
          ...[1, 2].map((l) => replace({ at: z(l), with: b.at(z(l)) })),
          ...(mlps === "frozen" ? [0, 1, 2].map((l) => replace({ at: `blocks.${l}.mlp_out`, with: b.at(`blocks.${l}.mlp_out`) })) : []), // prettier-ignore
        ],
      });
      const put = (l: number, part: "q" | "v", to: number): GraphEdit => {
        const address = `blocks.${l}.attn.${part}`;
        // Only this head's part; what the run itself computes elsewhere stays.
        const recorded = third.at(address);
        return {
          name: "put",
          at: [address],
          edit: (x, { feed }) => {
            const mask = Uint8Array.from({ length: recorded.shape[1] }, (_, h) => (h === to ? 1 : 0));
            return build.where(
              feed("h", new Tensor("bool", [1, mask.length, 1, 1], mask)),
              feed("r", recorded, x.shape),
              x,
            );
          },
        };
      };
      const expected = (await difference([put(1, "v", 0), put(2, "q", 1)])) - (await difference([]));
      expect(Math.abs(map.effects[0][0][head] - expected), mlps).toBeLessThan(2e-5);
      expect(Math.abs(map.effects[0][0][head])).toBeGreaterThan(1e-5);
      // Layer 1 reaches the query of layer 2 only; no receiver comes after layer 2.
      expect(map.effects[0][2]).toEqual(new Array(model.heads).fill(0));
      const alone = await pathPatching(model, clean, corrupted, { metric, mlps, receivers: receivers.slice(0, 1), layers: [1] }); // prettier-ignore
      alone.effects[0][0].forEach((x, h) => expect(Math.abs(x - map.effects[0][1][h])).toBeLessThan(2e-5));
    }
  });

  it("into the logits, from the last layer, is activation patching the other way round", async () => {
    const direct = await pathPatching(model, clean, corrupted, { metric, receivers: "logits" });
    const patched = await activationPatching(model, corrupted, clean, { metric, over: "heads" });
    direct.effects[0][2].forEach((x, h) => expect(Math.abs(x - patched.effects[0][2][h])).toBeLessThan(2e-5));
    direct.recovery[2].forEach((x, h) => expect(Math.abs(x - patched.recovery[2][h])).toBeLessThan(1e-3));
    const other = direct.effects[0][0].some((x, h) => Math.abs(x - patched.effects[0][0][h]) > 1e-4);
    expect(other, "earlier heads act through later ones, too").toBe(true);
  });
});

describe("path patching", () => {
  let model: Model;
  const two = { clean: { inputIds: [...clean.inputIds, [3, 4, 5, 6, 7]] }, corrupted: { inputIds: [...corrupted.inputIds, [3, 9, 5, 1, 7]] } }; // prettier-ignore
  const receivers: PathReceiver[] = [{ layer: 2, head: 1, input: "q" }];
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
  });
  afterAll(() => model.dispose());

  it("of equal prompts finds nothing, and a list is the mean of its pairs", async () => {
    const nothing = await pathPatching(model, clean, clean, { metric, receivers: "logits" });
    expect(nothing.effects.flat(2).every((x) => Math.abs(x) < 1e-5)).toBe(true);
    expect(nothing.undefinedPairs).toEqual([0]);
    const both = await pathPatching(model, two.clean, two.corrupted, { metric, receivers });
    const single = await pathPatching(model, clean, corrupted, { metric, receivers });
    expect(both.effects[0]).toEqual(single.effects[0]);
    expect(both.toCsv()).toBe((await pathPatching(model, two.clean, two.corrupted, { metric, receivers })).toCsv());
    expect(both.toCsv().split("\r\n")[0]).toBe("layer,head,recovery,effect");
    expect(both.toLatex()).toMatch(/\\bottomrule/);
    expect((await shown(both))["text/plain"]).toMatch(
      /^Path patching of gpt2 into 2\.1 q, MLPs free: share of the change of logitDifference\(7, 9\) made by each head, 2 pairs/,
    );
  });

  it.each([
    [
      "pathPatching",
      async (more: object) => pathPatching(model, two.clean, two.corrupted, { metric, receivers, ...more }),
    ],
    [
      "activationPatching",
      async (more: object) => activationPatching(model, two.clean, two.corrupted, { metric, over: "heads", ...more }),
    ],
  ] as const)("%s: stopped, it keeps what is done and goes on from there", async (_name, patch) => {
    const whole = await patch({});
    const stop = new AbortController();
    const onProgress = (done: number, total: number): void =>
      done === total / 2 ? stop.abort(new Error("stopped")) : undefined;
    await expect(patch({ signal: stop.signal, onProgress })).rejects.toThrow("stopped");
    const compute = model.compute.bind(model);
    let passes = 0;
    model.compute = (...args: Parameters<typeof compute>) => {
      passes++;
      return compute(...args);
    };
    const resumed = await patch({});
    const afterStop = passes;
    passes = 0;
    await patch({});
    expect(afterStop).toBeLessThan(passes);
    Reflect.deleteProperty(model, "compute");
    expect(resumed.toCsv()).toBe(whole.toCsv());
  });

  it("refuses what is not there", async () => {
    const refused = async (options: object, message: RegExp): Promise<void> =>
      expect(pathPatching(model, clean, corrupted, { metric, receivers, ...options })).rejects.toThrow(message);
    await refused({ receivers: [] }, /receivers must be "logits" or a list/);
    await refused(
      { receivers: [{ layer: 2, head: 9, input: "q" }] },
      /no receiver 2\.9 q; expected layers 0 … 2, heads 0 … 3/,
    );
    await refused({ mlps: "held" }, /mlps must be "free" or "frozen", got "held"/);
    await refused({ layers: [3] }, /a layer is a whole number in 0 … 2, got 3/);
    await refused({ receiver: [] }, /unknown option "receiver"; did you mean "receivers"\?/);
    await expect(pathPatching(model, clean, { inputIds: [[1, 2]] }, { metric, receivers })).rejects.toThrow(
      /one length/,
    );
  });
});
