import { describe, expect, it } from "vitest";
import { drawScatter, figureOf, inks, layerColours, scatterLayout } from "attention-lab/figure";
import { scatter, scatterMime } from "attention-lab/views";
import { textWidth } from "../../kernel/figure/svg.js";
import { seeded } from "../gallery/headGrid.js";
import { scatterExamples } from "../gallery/scatter.js";

const look = { width: 500, ink: inks.paper, palette: "viridis" } as const;

describe("a drawn scatter", () => {
  it.each(Object.keys(scatterExamples))("looks as recorded: %s", async (name) => {
    await expect(figureOf(scatterMime, scatterExamples[name]())! + "\n").toMatchFileSnapshot(
      `snapshots/scatter-${name}.svg`,
    );
  });

  it("puts its points where their numbers lie on the axes", () => {
    const payload = scatter([{ x: 0, y: 0 }, { x: 5, y: 1 }, { x: 10, y: 2 }], { title: "t" }); // prettier-ignore
    const { area, x, y, places } = scatterLayout(payload, look);
    const middle = [area.left + area.width / 2, area.top + area.height / 2];
    expect(places[1]?.map((at) => Number(at.toFixed(6)))).toEqual(middle.map((at) => Number(at.toFixed(6))));
    expect([x.at(x.place(3)), y.at(y.place(1.5))].map((value) => Number(value.toFixed(9)))).toEqual([3, 1.5]);
    expect(drawScatter(payload, look)).toContain(`cx="${middle[0]}" cy="${middle[1]}"`);
  });

  it("leaves points out that a scale has no place for, and says so", () => {
    const payload = scatter([{ x: -1, y: 1 }, { x: 1, y: NaN }, { x: 10, y: 2 }], { title: "t" }); // prettier-ignore
    const svg = drawScatter(payload, { ...look, xScale: "log" });
    expect(svg.match(/<circle /g)).toHaveLength(1);
    expect(svg).toContain("2 of 3 points have no place here");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("has no NaN where nothing or one point can be drawn, and fits its width", () => {
    for (const x of [NaN, 0, 1e300, -1e-300]) {
      for (const xScale of ["linear", "log"] as const) {
        const payload = scatter([{ x, y: 1, head: { layer: 511, head: 0 } }], { title: "t", xScale });
        for (const width of [260, 900]) {
          expect(drawScatter(payload, { ...look, width })).not.toMatch(/NaN|Infinity|undefined/);
          const { area } = scatterLayout(payload, { ...look, width });
          expect(area.left + area.width).toBeLessThanOrEqual(width);
        }
      }
    }
  });

  it("colours layers from one end of the palette to the other, never as pale as paper", () => {
    for (const palette of ["viridis", "cividis", "greys"] as const) {
      const colours = layerColours(palette, 12);
      expect(new Set(colours).size).toBe(12);
      for (const colour of colours) expect(Math.min(...[1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)))).toBeLessThan(220); // prettier-ignore
    }
  });

  it.each([true, false])(
    "names points where there is room: no name touches a point or a name; on paper: %s",
    (words) => {
      const random = seeded(4);
      const points = Array.from({ length: 120 }, (_, at) => ({
        x: random() ** 3,
        y: random() ** 3,
        label: `point ${at}`,
      }));
      const payload = scatter(points, { title: "t" });
      for (const width of [300, 620, 1000]) {
        const { places } = scatterLayout(payload, { ...look, width, words });
        const svg = drawScatter(payload, { ...look, width, words });
        const boxes = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" font-size="(8|10.5)">point/g)].map(
          ([, x, y, size]) => ({
            ...{ left: Number(x), right: Number(x) + textWidth("point 9", Number(size)) },
            ...{ top: Number(y) - 3 - Number(size) / 2, bottom: Number(y) - 3 + Number(size) / 2 },
          }),
        );
        expect(boxes.length).toBeGreaterThan(8);
        const touching = boxes.filter((a, at) => {
          const isOnName = boxes.some((b, i) => i !== at && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom); // prettier-ignore
          return isOnName || places.some((place) => place && place[0] + 3.6 > a.left && place[0] - 3.6 < a.right && place[1] + 3.6 > a.top && place[1] - 3.6 < a.bottom); // prettier-ignore
        });
        expect(touching).toEqual([]);
      }
    },
  );

  it.each([300, 900])("names points in the corners as well, in %i pixels", (width) => {
    const corners = [0, 1].flatMap((x) => [0, 1].map((y) => ({ x, y, label: `corner ${x} ${y}` })));
    const svg = drawScatter(scatter(corners, { title: "t" }), { ...look, width, words: false });
    expect(svg.match(/>corner \d \d<\/text>/g)?.sort()).toEqual(corners.map(({ label }) => `>${label}</text>`));
  });

  it("shows the marks and the scales that a reader has chosen", () => {
    const payload = scatterExamples["sizes"]();
    const marked = figureOf(scatterMime, payload, { points: { xScale: "linear", yScale: "log", marked: [1, 4] } })!;
    expect(marked.match(/stroke-width="1.8"/g)).toHaveLength(2);
    expect(marked.match(/ opacity="0.35"/g)).toHaveLength(2);
    expect(marked).toContain("2 points are marked: model 2, model 5");
    expect(marked).toContain(">2e8</text>");
    expect(() => figureOf(scatterMime, payload, { points: { marked: [5] } })).toThrow(
      /marked point out of range; expected 0…4, got 5/,
    );
  });
});
