import type { HeadGridPayload, HeadGridSample } from "./headGridPayload.js";

const counted = (count: number, noun: string, plural: string = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : plural}`;

/** "6 layers × 12 heads". */
export function modelSizeText({ layers, heads }: HeadGridPayload): string {
  return `${counted(layers, "layer")} × ${counted(heads, "head")}`;
}

/** "14 tokens", or "3 queries × 14 keys" where the two differ. */
export function sampleSizeText({ queryTokens, keyTokens }: HeadGridSample): string {
  return queryTokens.length === keyTokens.length
    ? counted(keyTokens.length, "token")
    : `${counted(queryTokens.length, "query", "queries")} × ${counted(keyTokens.length, "key")}`;
}
