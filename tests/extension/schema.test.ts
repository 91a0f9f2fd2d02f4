// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { paletteNames, scaleNames } from "attention-lab/figure";
import { figureActions, figureClass } from "../../extension/src/actions.js";
import { preferences } from "../../extension/src/preferences.js";

interface Choice {
  readonly default: string;
  readonly oneOf: readonly { readonly const: string }[];
}

const schema = (name: string): unknown => JSON.parse(readFileSync(`extension/schema/${name}.json`, "utf8"));

it("offers the palettes and scales there are, with the defaults of the figures", () => {
  const { palette, scale } = (schema("settings") as { properties: Record<string, Choice> }).properties;
  expect(palette.oneOf.map((choice) => choice.const)).toEqual(paletteNames);
  expect(scale.oneOf.map((choice) => choice.const).sort()).toEqual([...scaleNames].sort());
  expect({ palette: palette.default, scale: scale.default }).toEqual(preferences());
});

it("puts only commands that exist into the context menu of figures", () => {
  const menu = (
    schema("commands") as { "jupyter.lab.menus": { context: { command?: string; selector: string; rank: number }[] } }
  )["jupyter.lab.menus"].context;
  const known = figureActions.map((action) => `attention:${action}`);
  for (const { command, selector, rank } of menu) {
    if (command !== undefined) expect(known).toContain(command);
    expect(selector).toBe(`.${figureClass}`);
    expect(rank).toBeGreaterThanOrEqual(0);
  }
});
