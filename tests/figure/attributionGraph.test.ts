import { describe, expect, it } from "vitest";
import { attributionGraphLayout, drawAttributionGraph, figureOf, inks } from "attention-lab/figure";
import { attributionGraph, attributionGraphMime } from "attention-lab/views";
import { attributionGraphExamples } from "../gallery/attributionGraph.js";

const payload = attributionGraph(
  [
    { from: "embed", to: "0.1 q", score: 0.2 },
    { from: "0.1", to: "mlp 0", score: -0.5 },
    { from: "mlp 0", to: "logits", score: 0.1 },
    { from: "embed", to: "logits", score: 0.2 },
  ],
  { title: "t" },
);
const look = { width: 400, ink: inks.paper };

describe("a drawn attribution graph", () => {
  it.each(Object.keys(attributionGraphExamples))("looks as recorded: %s", async (name) => {
    await expect(figureOf(attributionGraphMime, attributionGraphExamples[name]())! + "\n").toMatchFileSnapshot(
      `snapshots/attribution-${name}.svg`,
    );
  });

  it("draws edges of a least size, and says how much of the weight of all they hold", () => {
    for (const [least, drawn, share] of [
      [0.3, 1, 0.5],
      [0.2, 3, 0.9],
      [0, 4, 1],
    ] as const) {
      // prettier-ignore
      const layout = attributionGraphLayout(payload, { ...look, least });
      expect(layout.drawn).toBe(drawn);
      expect(layout.share).toBeCloseTo(share, 12);
      const svg = drawAttributionGraph(payload, { ...look, least });
      expect(svg.match(/class="edge"/g)).toHaveLength(drawn);
      expect(svg).toContain(`${drawn} of 4 edges`);
      expect(svg).toContain(`${100 * share} % of the weight of all`);
    }
    expect(figureOf(attributionGraphMime, payload, { least: 0.3 })).toContain("1 of 4 edges");
  });

  it("leads every edge upwards, thickest where the weight is largest, dashed below 0", () => {
    const svg = drawAttributionGraph(payload, look);
    const edges = [...svg.matchAll(/<path class="edge" d="M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)"[^>]*stroke-width="([\d.]+)"( stroke-dasharray)?/g)]; // prettier-ignore
    expect(edges).toHaveLength(4);
    for (const [, from, to] of edges) expect(Number(to)).toBeLessThan(Number(from));
    expect(edges.at(-1)?.slice(3)).toEqual(["5", " stroke-dasharray"]);
    expect(edges.slice(0, -1).some(([, , , , dash]) => dash !== undefined)).toBe(false);
  });

  it("fits its width, at any number of layers and heads", () => {
    for (const [layers, heads] of [
      [1, 1],
      [80, 64],
    ]) {
      // prettier-ignore
      const big = attributionGraph([{ from: `0.${heads - 1}`, to: `mlp ${layers - 1}`, score: 1e-300 }], { title: "t" });
      for (const width of [260, 900]) {
        const svg = drawAttributionGraph(big, { ...look, width });
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        const { places, radius } = attributionGraphLayout(big, { ...look, width });
        for (const { x } of places) expect(x + radius).toBeLessThanOrEqual(width);
      }
    }
  });
});
