import { describe, expect, it } from "vitest";
import { drawModelDiagram, figureOf, inks } from "attention-lab/figure";
import { modelDiagramMime } from "attention-lab/views";
import { modelDiagramExamples } from "../gallery/modelDiagram.js";

describe("a drawn model", () => {
  it.each(Object.keys(modelDiagramExamples))("looks as recorded: %s", async (name) => {
    await expect(figureOf(modelDiagramMime, modelDiagramExamples[name]())! + "\n").toMatchFileSnapshot(
      `snapshots/model-${name}.svg`,
    );
  });

  it("tells every block of a kind once, with how many there are, and every place with its shape", () => {
    const svg = drawModelDiagram(modelDiagramExamples["encoder-decoder"](), { width: 620, ink: inks.paper });
    expect(svg.match(/>(en|de)coder\.blocks × 4</g)).toHaveLength(2);
    expect(svg.match(/>pattern</g)).toHaveLength(3);
    expect(svg).toContain(">[batch, 8, target, source]<");
  });

  it("stays inside its width, however narrow", () => {
    for (const width of [220, 900]) {
      const svg = drawModelDiagram(modelDiagramExamples["diagram"](), { width, ink: inks.clear });
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      for (const [, x, size] of svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)) {
        expect(Number(x) + Number(size)).toBeLessThanOrEqual(width);
      }
    }
  });
});
