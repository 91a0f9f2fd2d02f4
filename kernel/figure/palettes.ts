/** Colour palettes for weights; luminance is monotone in each. */
export type PaletteName = "viridis" | "cividis" | "greys";

/** Palette names in the order in which a chooser offers them; the first is the default. */
export const paletteNames: readonly PaletteName[] = ["viridis", "cividis", "greys"];

// Evenly spaced entries of matplotlib's 256-entry tables (viridis and cividis: CC0), linear in sRGB between them.
const anchors: Readonly<Record<PaletteName, string>> = {
  viridis:
    "440154450559460a5d470e61471365481769481b6d481f70482374482677472a7a472e7c46327e453581443983433d84424086414487" +
    "3f47883e4a893d4e8a3b518b3a548c38588c375b8d355e8d34618d32648e31678e306a8e2e6d8e2d708e2c728e2b758e2a788e297b8e" +
    "277e8e26818e25838e24868e23898e228c8d218f8d20928c1f948c1f978b1f9a8a1e9d891fa0881fa28721a58522a88425ab8227ad81" +
    "2ab07f2eb37c32b67a37b8783bbb7540bd7246c06f4cc26c52c56958c7655ec96265cb5e6ccd5a73d0567ad15181d34d89d54890d743" +
    "98d83ea0da39a8db34b0dd2fb8de29c0df25c8e020d0e11cd8e219dfe318e7e419efe51cf6e620fde725",
  cividis:
    "00224e00255300275800295d002b62002d68002f6d0031700533710f35701637701c396f213b6e263d6e2a3f6d2e416d32436d35456c" +
    "39486c3c4a6c3f4c6c424e6c45506c48526c4b546c4e566c51586d545a6d565c6d595e6e5c616e5e636f61656f646770666970696b71" +
    "6c6d726e6f737172747374757676767878777b7a787e7c78807f788381798683798985788c88788f8a78928c78948e779791779a9376" +
    "9d9576a09875a39a74a69c74a99f73aca172afa471b3a670b6a96fb9ab6dbcae6cbfb06bc2b369c5b568c8b866ccba64cfbd62d2c060" +
    "d5c25ed9c55cdcc859dfca57e2cd54e6d051e9d34eedd54af0d846f3db42f7de3efbe138fee434fee838",
  greys: "fffffff8f8f8f1f1f1e7e7e7dcdcdccfcfcfc2c2c2b2b2b29f9f9f8e8e8e7d7d7d6d6d6d5e5e5e4d4d4d383838232323111111000000",
};

/** Differences: blue below 0, white at 0, orange above; the darker, the further. Joined of ColorBrewer's Blues and Oranges. */
const differences =
  "08306b08519c2171b54292c66baed69ecae1c6dbefdeebf7f7f7f7fee6cefdd0a2fdae6bfd8d3cf16913d94801a636037f2704";

/**
 * The colours of a palette, from weight 0 to the top of the scale.
 *
 * Shapes   → [steps,3] red, green, blue in 0…255
 */
export function paletteColours(name: PaletteName, steps: number = 256): Uint8Array {
  return coloursBetween(anchors[name], steps);
}

/**
 * The colours of differences, from the lowest over 0 in the middle to the highest; luminance falls to both sides alike.
 *
 * Shapes   → [steps,3] red, green, blue in 0…255; an odd number of steps has 0 in the middle
 */
export function differenceColours(steps: number = 255): Uint8Array {
  return coloursBetween(differences, steps);
}

function coloursBetween(hex: string, steps: number): Uint8Array {
  const last = hex.length / 6 - 1;
  const colours = new Uint8Array(steps * 3);
  for (let step = 0; step < steps; step++) {
    const place = steps > 1 ? (step / (steps - 1)) * last : 0;
    const left = Math.min(Math.floor(place), last - 1);
    for (let channel = 0; channel < 3; channel++) {
      const at = left * 6 + channel * 2;
      const from = parseInt(hex.slice(at, at + 2), 16);
      const to = parseInt(hex.slice(at + 6, at + 8), 16);
      colours[step * 3 + channel] = Math.round(from + (to - from) * (place - left));
    }
  }
  return colours;
}

/**
 * What fills a masked square, red, green, blue and opacity in 0…255: nothing, or a pale blue where zero itself is white.
 *
 * A masked weight is not a weight of zero, so it never takes a colour of the palette.
 */
export function maskColour(name: PaletteName): readonly [number, number, number, number] {
  return name === "greys" ? [218, 227, 240, 255] : [255, 255, 255, 0];
}
