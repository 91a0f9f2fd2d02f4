// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { paletteNames, scaleNames } from "attention-lab/figure";
import { figureActions, figureClass } from "../../extension/src/actions.js";
import { preferences } from "../../extension/src/preferences.js";
import { publishPreferences } from "../../extension/src/publishedPreferences.js";

interface Choice {
  readonly default: string;
  readonly oneOf: readonly { readonly const: string }[];
}

const picked = (): object => {
  const { palette, scale } = preferences();
  return { palette, scale };
};

const schema = (name: string): unknown => JSON.parse(readFileSync(`extension/schema/${name}.json`, "utf8"));

it("offers the palettes and scales there are, with the defaults of the figures", () => {
  const { palette, scale, size, digits } = (schema("settings") as { properties: Record<string, Choice> }).properties;
  expect(palette.oneOf.map((choice) => choice.const)).toEqual(paletteNames);
  expect(scale.oneOf.map((choice) => choice.const).sort()).toEqual([...scaleNames].sort());
  expect({ palette: palette.default, scale: scale.default }).toMatchObject(picked());
  const usual = preferences();
  for (const { const: named } of size.oneOf) {
    publishPreferences({ size: named });
    expect(preferences().size === usual.size).toBe(named === size.default);
  }
  publishPreferences({ digits: String(digits.default) });
  expect(preferences()).toEqual(usual);
  for (const [given, kept] of [
    ["7", 7],
    ["99", 9],
    ["0.1", 2],
    ["many", 4],
  ] as const) {
    // prettier-ignore
    publishPreferences({ digits: given });
    expect(preferences().digits).toBe(kept);
  }
});

it("puts only commands that exist into the context menu of figures", () => {
  const menu = (
    schema("commands") as { "jupyter.lab.menus": { context: { command?: string; selector: string; rank: number }[] } }
  )["jupyter.lab.menus"].context;
  const others = ["attention:ablate-head", "attention:open-in-tab", "attention:toggle-inspector"];
  const known = [...figureActions.map((action) => `attention:${action}`), ...others];
  for (const { command, selector, rank } of menu) {
    if (command !== undefined) expect(known).toContain(command);
    expect(selector).toMatch(new RegExp(`^\\.${figureClass}(\\.jp-AttentionHeadGrid)?$`));
    expect(rank).toBeGreaterThanOrEqual(0);
  }
});
