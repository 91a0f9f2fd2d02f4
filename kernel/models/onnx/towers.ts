import type { FoundBlock } from "./block.js";
import type { FileView } from "./view.js";

/** Inputs that say which positions there are, not what stands at them. */
const auxiliary = /mask|position|past|cache|seqlens|sequence_length|token_type|segment/;

/**
 * The address of each attention, in the order of the file: `blocks.N.attn`; where some attentions read keys from
 * elsewhere than queries, `encoder.blocks.N.attn`, `decoder.blocks.N.attn` and `decoder.blocks.N.cross_attn`; where a file
 * holds towers that never meet, each under the name of its input.
 */
export function addressesOf(view: FileView, blocks: readonly FoundBlock[]): readonly string[] {
  const contentOf = (name: string): string[] =>
    [...view.sources(name)].filter((input) => !auxiliary.test(input)).sort();
  const ends = blocks.map(({ query, key }) => ({ query: contentOf(query), key: contentOf(key) }));
  const isCross = ends.map(({ query, key }) => query.join() !== key.join());
  const decoded = new Set(
    ends.flatMap(({ query, key }, i) => (isCross[i] ? query.filter((name) => !key.includes(name)) : [])),
  );
  const towers = [...new Set(ends.map(({ query }) => query.join()))];
  const counts = new Map<string, number>();
  return ends.map(({ query }, i) => {
    const prefix = prefixOf(query, decoded, towers.length);
    const kind = isCross[i] ? "cross_attn" : "attn";
    const key = `${prefix} ${kind}`;
    const layer = counts.get(key) ?? 0;
    counts.set(key, layer + 1);
    return `${prefix}blocks.${layer}.${kind}`;
  });
}

function prefixOf(query: readonly string[], decoded: ReadonlySet<string>, towers: number): string {
  if (decoded.size > 0) return query.some((name) => decoded.has(name)) ? "decoder." : "encoder.";
  if (towers === 1) return "";
  if (query.some((name) => /pixel|image/.test(name))) return "vision.";
  return query.some((name) => /ids|text/.test(name)) ? "text." : `${query.join("_")}.`;
}
