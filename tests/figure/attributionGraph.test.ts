import { describe, expect, it } from "vitest";
import { attributionGraphLayout, drawAttributionGraph, figureOf, inks } from "attention-lab/figure";
import { attributionGraph, attributionGraphMime } from "attention-lab/views";
import { textWidth } from "../../kernel/figure/svg.js";
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

  it("gives each position a column, and the heads that stand there a place of their own", () => {
    const edges = ["0.1", "0.5"].map((from) => ({ from, fromPosition: 3, to: "2.0 v", toPosition: 7, score: 1 }));
    const more = { from: "embed", fromPosition: 3, to: "0.1 q", toPosition: 3, score: 0.5 };
    const placed = attributionGraph([...edges, more], { title: "t", tokens: [..."abcdefgh"] });
    const { places, columns, radius } = attributionGraphLayout(placed, look);
    const at = (name: string): (typeof places)[number] => places[placed.nodes.name.indexOf(name)];
    expect(columns.map(({ label }) => label)).toEqual(["3 d", "7 h"]);
    expect(at("embed @3").x).toBeCloseTo(columns[0].x, 6);
    expect(at("2.0 @7").x).toBeCloseTo(columns[1].x, 6);
    expect((at("0.1 @3").x + at("0.5 @3").x) / 2).toBeCloseTo(columns[0].x, 6);
    expect(at("0.5 @3").x - at("0.1 @3").x).toBeGreaterThan(2 * radius);
    expect(at("0.1 @3").y).toBe(at("0.5 @3").y);
    expect(drawAttributionGraph(placed, look)).toContain(">7 h</text>");
  });

  it.each(["graph", "graph-positions"])("keeps names off nodes and off each other, narrow and wide: %s", (name) => {
    const graph = attributionGraphExamples[name]();
    for (const width of [420, 620, 1000]) {
      const { places, radius } = attributionGraphLayout(graph, { ...look, width });
      const svg = drawAttributionGraph(graph, { ...look, width });
      const names = new Set(graph.nodes.name.map((each) => each.replace(/ @.*/, "")));
      const boxes = [
        ...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" font-size="7.5"( text-anchor="middle")?>([^<]+)</g),
      ]
        .filter(([, , , , text]) => names.has(text))
        .map(([, x, y, middle, text]) => {
          const wide = textWidth(text, 7.5);
          const left = Number(x) - (middle ? wide / 2 : 0);
          return { left, right: left + wide, top: Number(y) - 6, bottom: Number(y) };
        });
      expect(boxes.length).toBeGreaterThan(5);
      const touching = boxes.filter((box, at) => {
        const others = boxes.some((other, i) => i !== at && other.left < box.right && box.left < other.right && other.top < box.bottom && box.top < other.bottom); // prettier-ignore
        const nodes = places.some(({ x, y, isShown }) => isShown && x + radius > box.left && x - radius < box.right && y + radius > box.top && y - radius < box.bottom); // prettier-ignore
        return others || nodes || box.right > width;
      });
      expect(touching).toEqual([]);
    }
  });
});
