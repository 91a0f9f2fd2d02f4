// The settings plugin and the renderer are separate entry points that may run without each other: the document body
// is what they share.
const paletteKey = "attentionPalette";
const scaleKey = "attentionScale";

/** Publishes preferences to figures drawn from now on. */
export function publishPreferences(palette: string, scale: string): void {
  document.body.dataset[paletteKey] = palette;
  document.body.dataset[scaleKey] = scale;
}

/** What was last published, unchecked. */
export function publishedPreferences(): { readonly palette: string | undefined; readonly scale: string | undefined } {
  const { [paletteKey]: palette, [scaleKey]: scale } = document.body.dataset;
  return { palette, scale };
}
