import { describe, expect, it } from "vitest";
import { attributionGraph, attributionGraphText, readAttributionGraph } from "attention-lab/views";

const edges = [
  { from: "embed", to: "0.1 q", score: 0.2 },
  { from: "0.1", to: "mlp 0", score: -0.5 },
  { from: "embed", to: "logits", score: 0 },
  { from: "mlp 0", to: "logits", score: 0.1 },
];

describe("an attribution graph", () => {
  it("stores edges by size, nodes from inputs to outputs, and the weight of all", () => {
    const payload = attributionGraph(edges, { title: "t", measure: "m" });
    expect(payload.nodes.name).toEqual(["embed", "0.1", "mlp 0", "logits"]);
    expect(payload.nodes.kind).toEqual(["input", "head", "mlp", "output"]);
    expect(payload.edges).toEqual({ from: [1, 0, 2], to: [2, 1, 3], input: ["", "q", ""], weight: [-0.5, 0.2, 0.1] });
    expect([payload.layers, payload.heads, payload.all]).toEqual([1, 2, { edges: 4, weight: 0.8 }]);
    expect(readAttributionGraph(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
    expect(attributionGraphText(payload)).toBe(
      "t · 4 edges\n  largest: 0.1 → mlp 0 -0.5 · embed → 0.1 q 0.2 · mlp 0 → logits 0.1",
    );
  });

  it("keeps the largest within its budget, and counts the rest", () => {
    const many = Array.from({ length: 40_000 }, (_, at) => ({
      ...{ from: `${at % 20}.${at % 30}`, to: `${20 + (at % 20)}.${Math.floor(at / 40) % 30} k` },
      score: (-1) ** at * (1 + at / 7),
    }));
    const payload = attributionGraph(many, { title: "t" });
    expect(JSON.stringify(payload).length).toBeLessThan(500_000);
    expect(payload.edges.weight).toHaveLength(6_000);
    expect(payload.all.edges).toBe(40_000);
    expect(payload.all.weight).toBeCloseTo(
      many.reduce((sum, { score }) => sum + Math.abs(score), 0),
      -3,
    );
  });

  it("gives keys and values that heads share nodes of their own", () => {
    const shared = attributionGraph([{ from: "embed", to: "0.1 k", score: 1 }, ...edges], {
      title: "t",
      sharedKeys: true,
    });
    expect(shared.nodes.name).toEqual(["embed", "0.kv1", "0.1", "mlp 0", "logits"]);
    expect(shared.nodes.kind[1]).toBe("keys");
    expect(shared.notes).toEqual(["kv: a head of keys and values that several heads share"]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ["nothing", () => attributionGraph([], { title: "t" }), /expected an edge that weighs something, got 0 of weight 0/],
    ["a foreign end", () => attributionGraph([{ from: "head 3", to: "logits", score: 1 }], { title: "t" }), /unknown end "head 3"; expected "embed", "0\.3"/],
    ["a weight without size", () => attributionGraph([{ from: "embed", to: "logits", score: NaN }], { title: "t" }), /finite weights, got NaN/],
    ["a misspelt option", () => attributionGraph(edges, { titel: "t" } as never), /did you mean "title"/],
  ])("is not made of %s", (_, make, reason) => expect(make).toThrow(reason)); // prettier-ignore

  it("tells ends at other tokens apart, and refuses tokens that are not there", () => {
    const placed = { from: "0.1", fromPosition: 2, to: "1.0 k", toPosition: 4, score: 1 };
    const rows = [placed, { ...placed, fromPosition: 0, score: 0.5 }, { from: "0.1", to: "logits", score: 0.2 }];
    const payload = attributionGraph(rows, { title: "t", tokens: [..."abcde"] });
    expect(payload.nodes.name).toEqual(["0.1", "0.1 @0", "0.1 @2", "1.0 @4", "logits"]);
    expect(payload.nodes.position).toEqual([-1, 0, 2, 4, -1]);
    expect(readAttributionGraph(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
    expect(attributionGraphText(payload)).toContain("largest: 0.1 @2 → 1.0 @4 k 1");
    expect(() => attributionGraph(rows, { title: "t", tokens: ["a"] })).toThrow(/expected a position in 0 … 0, got 2/);
    expect(() => readAttributionGraph({ ...payload, tokens: ["a"] })).toThrow(
      /nodes\.position: expected a whole number/,
    );
  });

  it("refuses edges that end nowhere, and an order that hides large ones", () => {
    const payload = attributionGraph(edges, { title: "t" });
    const { edges: stored } = payload;
    expect(() => readAttributionGraph({ ...payload, edges: { ...stored, to: [2, 1, 4] } })).toThrow(/0…3, got 4/);
    expect(() => readAttributionGraph({ ...payload, edges: { ...stored, weight: [0.1, 0.2, 0.5] } })).toThrow(
      /edges\.weight: expected the largest first, got 0\.2/,
    );
  });
});
