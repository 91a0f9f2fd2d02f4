// The settings plugin and the renderer are separate entry points that may run without each other: the document body
// is what they share.
const keys = {
  palette: "attentionPalette",
  scale: "attentionScale",
  size: "attentionSize",
  digits: "attentionDigits",
} as const;

/** Preferences as they are published: unchecked texts. */
export type PublishedPreferences = { readonly [Name in keyof typeof keys]?: string | undefined };

/** Publishes preferences to figures drawn from now on. */
export function publishPreferences(preferences: PublishedPreferences): void {
  for (const [name, key] of Object.entries(keys)) {
    document.body.dataset[key] = preferences[name as keyof typeof keys] ?? "";
  }
}

/** What was last published. */
export function publishedPreferences(): PublishedPreferences {
  const { dataset } = document.body;
  return Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, dataset[key]]));
}
